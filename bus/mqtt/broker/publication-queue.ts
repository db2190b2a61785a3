import { Queue } from '../../base/queue.ts';
import { answerTimeoutMs, type BrokerSession, type Outcome, type Publication } from './broker-session.ts';
import { type RefusedTopic, RefusedTopics, type SetAside } from './refused-topics.ts';

interface Item {
  readonly publication: Publication;
  /** In the order in which they leave the queue. */
  place: number;
  readonly resolve: (outcome: Outcome | Promise<Outcome>) => void;
  sentAt: number;
  /** How often the broker has refused it, closed the connection on it, or not confirmed it alone of all. */
  tries: number;
  /** How many publications the broker had confirmed when this one was sent last, and when the time before. */
  confirmed: number;
  confirmedBefore: number;
}

/** What waits on one topic while an item of it is tried again. */
interface Held {
  readonly items: Item[];
  timer: NodeJS.Timeout | undefined;
}

const maxTries = 3;
const retryMs = 300;
/** A connection that is closed this soon after a lone publication is closed because of it. */
const blameMs = 5000;
/** A topic on which the broker closes the connection, or does not confirm, is tried again after this time. */
const avoidanceMs = 10 * 60_000;

/**
 * Publications on their way to the broker: in order per topic, many at once, each until the broker has confirmed it.
 *
 * A publication that the broker refuses is tried three times while those of its topic wait, and is set aside then. On a
 * topic that is refused, those that follow are tried once each. Brokers of MQTT 3.1.1 cannot refuse; some close the
 * connection instead, or do not confirm, after which it is closed here. After each loss of the connection, the
 * publications that were under way are therefore sent one at a time, so that it is known which one is to blame.
 */
export class PublicationQueue {
  readonly #waiting = new Queue<Item>();
  readonly #inFlight = new Set<Item>();
  /** Under way when the connection was lost. */
  readonly #suspects = new Set<Item>();
  readonly #held = new Map<string, Held>();
  readonly #refused: RefusedTopics;
  #session: BrokerSession | undefined;
  #places = 0;
  /** How many publications the broker has confirmed. */
  #confirmed = 0;
  #isClosed = false;

  /** @param onRefused is called once for a topic, until it is accepted again. */
  constructor(onRefused: (topic: string, reason: string) => void) {
    this.#refused = new RefusedTopics(onRefused);
  }

  get refused(): readonly RefusedTopic[] {
    return this.#refused.list();
  }

  get setAside(): readonly SetAside[] {
    return this.#refused.setAside();
  }

  /**
   * Resolves when the broker has confirmed or refused it, or it is not wanted any more; never, if the queue is closed before.
   */
  add(publication: Publication): Promise<Outcome> {
    return new Promise((resolve) => {
      this.#waiting.push(newItem(publication, resolve));
      this.#pump();
    });
  }

  /** As {@link add}; sends these, in this order, before all that wait, except for what was under way already. */
  addFirst(publications: readonly Publication[]): Promise<Outcome>[] {
    const first: Item[] = [];
    for (let next = this.#waiting.shift(); next; next = this.#waiting.shift()) {
      if (!this.#suspects.has(next)) {
        this.#waiting.putBack([next]);
        break;
      }
      first.push(next);
    }
    const added: Item[] = [];
    const outcomes = publications.map(
      (publication) => new Promise<Outcome>((resolve) => added.push(newItem(publication, resolve))),
    );
    this.#waiting.putBack([...first, ...added]);
    this.#pump();
    return outcomes;
  }

  /** Sends what waits over this session, from now until {@link detach}. */
  attach(session: BrokerSession): void {
    this.#session = session;
    this.#pump();
  }

  /** The session is over: what was under way is sent again. @returns whether anything was. */
  detach(): boolean {
    this.#session = undefined;
    const items = [...this.#inFlight].sort((a, b) => a.place - b.place);
    this.#inFlight.clear();
    const [only] = items;
    if (items.length === 1 && only && this.#suspects.has(only)) this.#blame(only);
    for (const item of items) this.#suspects.add(item);
    this.#waiting.putBack(items);
    return items.length > 0;
  }

  close(): void {
    this.#isClosed = true;
    this.detach();
    for (const { timer } of this.#held.values()) clearTimeout(timer);
  }

  /** The connection was lost while this item alone was under way. */
  #blame(item: Item): void {
    const waitedMs = performance.now() - item.sentAt;
    const isUnconfirmed = waitedMs >= answerTimeoutMs;
    if (waitedMs > blameMs && !isUnconfirmed) return;
    // A broker that confirms nothing at all is ill, whatever the topic.
    const isToBlame = !isUnconfirmed || this.#confirmed > item.confirmedBefore;
    if (isToBlame) item.tries += 1;
    const { topic } = item.publication;
    if (isToBlame && (item.tries >= maxTries || this.#refused.has(topic))) {
      const reason = `the broker ${isUnconfirmed ? 'does not confirm it' : 'closes the connection on it'}`;
      this.#refused.avoid(topic, reason, avoidanceMs);
      return;
    }
    // The other topics come first on the next connection, for as long as they have waited for this one.
    this.#hold(topic, isUnconfirmed ? answerTimeoutMs : retryMs);
  }

  #pump(): void {
    const session = this.#session;
    if (!session || this.#isClosed) return;
    while (this.#inFlight.size < (this.#suspects.size > 0 ? 1 : session.maxInFlight)) {
      const next = this.#waiting.shift();
      if (!next) return;
      this.#places += 1;
      next.place = this.#places;
      const held = this.#held.get(next.publication.topic);
      const isWanted = next.publication.isWanted?.() ?? true;
      if (isWanted !== true) this.#drop(next, isWanted || 'refused');
      else if (held) held.items.push(next);
      else if (this.#refused.isAvoided(next.publication.topic)) this.#setAside(next);
      else void this.#send(session, next);
    }
  }

  async #send(session: BrokerSession, item: Item): Promise<void> {
    const { topic } = item.publication;
    item.sentAt = performance.now();
    item.confirmedBefore = item.confirmed;
    item.confirmed = this.#confirmed;
    this.#inFlight.add(item);
    try {
      await session.publish(item.publication);
      if (!this.#inFlight.delete(item)) return;
      this.#suspects.delete(item);
      this.#confirmed += 1;
      this.#refused.accepted(topic);
      item.resolve('delivered');
    } catch (error) {
      // Not if the session is over: then `detach` has put it back.
      if (this.#session !== session || !this.#inFlight.delete(item)) return;
      const code = (error as { code?: unknown }).code;
      if (typeof code !== 'number' && !this.#isUnsendable(error)) {
        this.#inFlight.add(item);
        return;
      }
      this.#suspects.delete(item);
      this.#refuse(item, (error as Error).message);
    }
    this.#pump();
  }

  /** The client library refuses some itself, such as one that is larger than the broker takes. */
  readonly #isUnsendable = (error: unknown) => /packet|topic|size/i.test((error as Error).message);

  #refuse(item: Item, reason: string): void {
    const { topic } = item.publication;
    item.tries += 1;
    if (item.tries >= maxTries || this.#refused.has(topic)) {
      this.#refused.count(topic, reason);
      this.#setAside(item);
      return;
    }
    // Its order among those of its topic: before all that wait.
    const held = this.#hold(topic, retryMs * item.tries);
    held.items.push(item);
    held.items.sort((a, b) => a.place - b.place);
  }

  #hold(topic: string, forMs: number): Held {
    const held = this.#held.get(topic) ?? { items: [], timer: undefined };
    this.#held.set(topic, held);
    clearTimeout(held.timer);
    held.timer = setTimeout(() => {
      this.#held.delete(topic);
      this.#waiting.putBack(held.items);
      this.#pump();
    }, forMs);
    return held;
  }

  #drop(item: Item, outcome: Outcome | Promise<Outcome>): void {
    this.#suspects.delete(item);
    item.resolve(outcome);
  }

  #setAside(item: Item): void {
    this.#suspects.delete(item);
    this.#refused.skipped(item.publication.topic);
    item.resolve('refused');
  }
}

const newItem = (publication: Publication, resolve: Item['resolve']): Item => ({
  ...{ publication, place: 0, resolve, sentAt: 0, tries: 0 },
  // Not sent before, nothing was confirmed since.
  ...{ confirmed: Number.POSITIVE_INFINITY, confirmedBefore: Number.POSITIVE_INFINITY },
});

import type { Outcome, Publication } from '../broker/broker-session.ts';
import { LaterTry } from './later-try.ts';
import type { TopicRecord } from './topic-record.ts';

export type Payload = string | Uint8Array;

/** Of the topics that the broker has refused, so many are tried again at once; the others follow after a pause. */
const maxAgain = 200;

/** Keeps the retained topics of a broker equal to those that are wanted, whatever the broker forgets. */
export class RetainedTopics {
  readonly #record: TopicRecord;
  readonly #publish: (publication: Publication) => Promise<Outcome>;
  readonly #wanted = new Map<string, Payload>();
  /** What the broker has confirmed since it was connected; empty: cleared. */
  readonly #confirmed = new Map<string, Payload>();
  /** Those that hold something, and shall not. */
  readonly #unwanted = new Set<string>();
  readonly #underWay = new Set<string>();
  /** Those that another machine publishes. */
  readonly #left = new Set<string>();
  /** Those that the broker has refused, until they are tried again. */
  readonly #refused = new Set<string>();
  readonly #laterTry = new LaterTry(() => this.#tryAgain());
  readonly #ofOthers: () => (topic: string) => boolean;
  #isConnected = false;
  /** What is wanted of what was published before this start is known. */
  #hasClearedFormer = false;

  /** @param ofOthers tells which topics that are not wanted here another machine may publish at this moment. */
  constructor(
    record: TopicRecord,
    publish: (publication: Publication) => Promise<Outcome>,
    ofOthers: () => (topic: string) => boolean = () => () => false,
  ) {
    this.#record = record;
    this.#publish = publish;
    this.#ofOthers = ofOthers;
  }

  /** The number of topics that are wanted. */
  get size(): number {
    return this.#wanted.size;
  }

  /** The topics of the record and those that are wanted. */
  get known(): readonly string[] {
    return [...new Set([...this.#record.topics, ...this.#wanted.keys()])];
  }

  get(topic: string): Payload | undefined {
    return this.#wanted.get(topic);
  }

  set(topic: string, payload: Payload): void {
    this.#left.delete(topic);
    this.#wanted.set(topic, payload);
    this.#unwanted.delete(topic);
    if (this.#record.has(topic)) {
      void this.#update(topic);
      return;
    }
    // Recorded first: after a crash between the two, the topic is still known.
    this.#record.add(topic);
    void this.#record
      .save()
      .catch(() => {})
      .then(() => this.#update(topic));
  }

  clear(topic: string): void {
    this.#left.delete(topic);
    this.#wanted.delete(topic);
    this.#unwanted.add(topic);
    void this.#update(topic);
  }

  /** Clears all that was published before this start and is not wanted any more. */
  clearFormer(): void {
    this.#hasClearedFormer = true;
    const isOthers = this.#ofOthers();
    for (const topic of this.known) {
      if (this.get(topic) === undefined && !isOthers(topic)) this.clear(topic);
    }
  }

  /** @param isOwn whether what this machine has published in a cluster is its own now, and is cleared where it is not wanted. */
  settleFormerCluster(isOwn: boolean): void {
    this.#record.settleFormer(isOwn);
    if (this.#hasClearedFormer) this.clearFormer();
  }

  /** Another machine publishes it from now on: here it is neither wanted nor cleared. */
  leave(topic: string): void {
    this.#left.add(topic);
    this.#wanted.delete(topic);
    this.#unwanted.delete(topic);
    this.#confirmed.delete(topic);
  }

  /** Publishes a topic again that has not changed. */
  repeat(topic: string): void {
    this.#confirmed.delete(topic);
    void this.#update(topic);
  }

  /** The broker is connected, and may have forgotten anything. Resolves when it has all of it, or has refused it. */
  async connected(): Promise<void> {
    this.#isConnected = true;
    this.#confirmed.clear();
    const isOthers = this.#ofOthers();
    const cleared = this.#record.cleared.filter((topic) => !isOthers(topic));
    const topics = new Set([...cleared, ...this.#unwanted, ...this.#wanted.keys()]);
    await Promise.all([...topics].map((topic) => this.#update(topic)));
  }

  /** What was refused is not tried again. */
  close(): void {
    this.#laterTry.close();
  }

  async #update(topic: string): Promise<void> {
    if (!this.#isConnected || this.#underWay.has(topic) || this.#left.has(topic)) return;
    this.#underWay.add(topic);
    try {
      for (;;) {
        const wanted = this.#wanted.get(topic) ?? '';
        if (isEqual(this.#confirmed.get(topic), wanted)) return;
        const isWanted = () => !this.#left.has(topic);
        const outcome = await this.#publish({ topic, payload: wanted, isRetained: true, isWanted });
        if (this.#left.has(topic)) return;
        if (outcome === 'refused') return this.#refuse(topic);
        this.#confirmed.set(topic, wanted);
        if (this.#unwanted.delete(topic)) {
          this.#record.clear(topic);
          void this.#record.save().catch(() => {});
        }
      }
    } finally {
      this.#underWay.delete(topic);
    }
  }

  #refuse(topic: string): void {
    // A broker that has not confirmed it may hold it all the same.
    this.#confirmed.delete(topic);
    this.#refused.add(topic);
    this.#laterTry.ask();
  }

  #tryAgain(): void {
    const isOthers = this.#ofOthers();
    for (const topic of [...this.#refused].slice(0, maxAgain)) {
      this.#refused.delete(topic);
      const isOwn = this.#wanted.has(topic) || this.#unwanted.has(topic) || !isOthers(topic);
      if (isOwn) void this.#update(topic);
    }
    if (this.#refused.size > 0) this.#laterTry.ask();
  }
}

function isEqual(one: Payload | undefined, other: Payload): boolean {
  if (one === undefined || typeof one === 'string' || typeof other === 'string') return one === other;
  return Buffer.from(one).equals(other);
}

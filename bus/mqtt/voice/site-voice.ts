import { Type } from 'typebox';
import { Check } from 'typebox/schema';
import { nowUs } from '../../base/time.ts';
import type { DetectionEvent } from '../../messages.ts';
import type { BrokerSession, Outcome } from '../broker/broker-session.ts';
import type { RetainedTopics } from '../topics/retained-topics.ts';
import type { Voice } from '../topics/voice.ts';
import { byRank, type Claim } from './claim.ts';
import { type HeldEvent, HeldEvents, maxHeldEvents } from './held-events.ts';
import { RollCall } from './roll-call.ts';
import { type HeardMachine, maxWaitUs, Speakers } from './speakers.ts';

/** What the machines of a cluster hear of each other. */
export interface VoiceSite {
  /** This one. */
  readonly machine: string;
  /** Those that are heard now, this one included. */
  heard(): readonly HeardMachine[];
  /**
   * Calls `listener` with each other machine that is heard, and without one when something else may have changed, several times
   * a second. @returns ends it.
   */
  onHeard(listener: (machine: string | undefined) => void): () => void;
}

export interface SiteVoiceOptions {
  readonly site: VoiceSite;
  monitors(): readonly { readonly id: string; readonly isEnabled: boolean }[];
}

/** Where the voice publishes: set by the bridge. */
interface VoiceOutput {
  readonly prefix: string;
  /** For what this machine says of itself as a speaker. */
  readonly topics: RetainedTopics;
  isConnected(): boolean;
  /** That this machine is online. */
  announce(): void;
  /** Events of one monitor, oldest first; before all that wait, which are newer. @returns what becomes of each. */
  publishFirst(events: readonly DetectionEvent[]): readonly Promise<Outcome>[];
  /** Nothing is to wait for an event that is held; what its {@link SiteVoice.admits} has answered says when it is settled. */
  hold(event: DetectionEvent): void;
}

const claimShape = Type.Object({
  machine: Type.String({ minLength: 1, maxLength: 253 }),
  rank: Type.Integer({ minimum: 0 }),
  streaming: Type.Boolean(),
  turns: Type.Array(Type.Object({ machine: Type.String(), since: Type.Integer({ minimum: 0 }) }), {
    maxItems: 64,
  }),
});

/** The silence of a machine, or that it has left the broker, is noticed within this time, in microseconds. */
const unsureUs = 5_000_000;
/** Decided is several times a second. */
const standstillUs = 2_000_000;

/** For which monitors this machine of a cluster speaks, from heartbeats and from what the others have retained at the broker. */
export class SiteVoice implements Voice {
  readonly maxHeld = maxHeldEvents;
  readonly #options: SiteVoiceOptions;
  readonly #speakers: Speakers;
  readonly #held = new HeldEvents();
  /** Of events that were held and are under way: their place, and whether they go whatever turns out, because later ones do. */
  readonly #released = new Map<string, { readonly place: number; readonly isDecided: boolean }>();
  readonly #listeners = new Set<(monitorID: string) => void>();
  readonly #returnListeners = new Set<() => void>();
  readonly #end: () => void;
  /** The monitors for which there is a claim of this machine. */
  readonly #claimed = new Set<string>();
  #output: VoiceOutput | undefined;
  #rollCall: RollCall | undefined;
  #session: BrokerSession | undefined;
  /** While it is not known what the broker has, nothing is decided. */
  #isLearning = true;
  /** When it was decided last, and since when again and again. Unix times in microseconds. */
  #decidedAt = 0;
  #steadySince = 0;

  constructor(options: SiteVoiceOptions) {
    this.#options = options;
    const { site, monitors } = options;
    this.#speakers = new Speakers({ machine: site.machine, monitors, startedAt: nowUs() });
    this.#end = site.onHeard((machine) => {
      const isBack = machine !== undefined && this.#speakers.hear(machine, nowUs());
      this.#decide();
      if (isBack) for (const listener of this.#returnListeners) listener();
    });
  }

  get machine(): string {
    return this.#options.site.machine;
  }

  /** Begins to speak. */
  attach(output: VoiceOutput): void {
    this.#output = output;
    this.#rollCall = new RollCall({
      ...{ machine: this.machine, prefix: output.prefix },
      onOnline: (machine, isOnline) => this.#speakers.setOnline(machine, isOnline, nowUs()),
      onMissed: () => output.announce(),
    });
  }

  speaks(monitorID: string): boolean {
    return this.#speakers.speaks(monitorID);
  }

  onChange(listener: (monitorID: string) => void): void {
    this.#listeners.add(listener);
  }

  onReturn(listener: () => void): void {
    this.#returnListeners.add(listener);
  }

  /** Learns what the others have retained, before anything is published over this connection. */
  async learn(session: BrokerSession): Promise<void> {
    const { prefix = '' } = this.#output ?? {};
    this.#session = session;
    this.#isLearning = true;
    this.#speakers.setConnected(false);
    await this.#rollCall?.take(session);
    const claims = `${prefix}/monitor/+/machine`;
    // What is retained comes before the answer to the next question.
    for (const topic of [claims, claims]) await session.subscribe(topic).catch(() => {});
    if (this.#session !== session) return;
    this.#isLearning = false;
    this.#decide();
    if (!this.#output) return;
    // What was learned may be no change for this machine, and one for what it holds.
    for (const { id } of this.#options.monitors()) this.#release(id, this.#output);
  }

  /** A message from the broker. @param isRetained it is from before the subscription. */
  message(topic: string, payload: Buffer, isRetained: boolean): void {
    const { prefix = '' } = this.#output ?? {};
    if (!topic.startsWith(`${prefix}/`)) return;
    const [kind, name = '', what] = topic.slice(prefix.length + 1).split('/');
    if (kind === 'machine' && (what === 'available' || what === 'alive')) {
      this.#rollCall?.message(name, what, payload.toString(), isRetained);
    } else if (kind === 'monitor' && what === 'machine') {
      const claim = parseClaim(payload);
      if (!claim) return;
      this.#speakers.learn(name, claim);
      this.#decide();
      this.#defend(name, claim);
      if (this.#output && !this.#isLearning) this.#release(name, this.#output);
      return;
    } else return;
    this.#decide();
  }

  /**
   * Called before an event is queued: it tells that detectors have begun, and, before the next heartbeat does, that the clock was
   * set back, so that what is held comes first.
   */
  notice({ monitorID, time }: DetectionEvent): void {
    this.#speakers.detected(monitorID, time);
    if (this.#speakers.isSetBack(nowUs())) this.#decide();
  }

  /**
   * Asked when an event is about to be sent: false if another machine publishes what it shows; a promise of what becomes of it,
   * if another one does, unless it turns out to be dead.
   */
  admits(event: DetectionEvent): boolean | Promise<Outcome> {
    const released = this.#released.get(event.id);
    if (released?.isDecided) return true;
    const verdict = this.#speakers.verdict(event.monitorID, event.time, nowUs());
    if (verdict !== 'wait') return verdict === 'publish';
    const settled = this.#held.add(event, released?.place);
    this.#output?.hold(event);
    return settled;
  }

  /** Ends it. Whoever was to publish what is held was there after that; of the newest events it is not known, they are not settled. */
  close(): void {
    this.#end();
    this.#held.leave(nowUs() - unsureUs);
    [this.#session, this.#output] = [undefined, undefined];
  }

  #decide(): void {
    const output = this.#output;
    if (!output || this.#isLearning) return;
    const now = nowUs();
    this.#speakers.setConnected(output.isConnected());
    const ids = this.#options.monitors().map(({ id }) => id);
    const before = new Set(ids.filter((id) => this.speaks(id)));
    for (const id of this.#speakers.decide(this.#options.site.heard(), now)) {
      const claim = this.#speakers.claim(id);
      if (claim) this.#claim(id, claim, output);
      else if (this.#claimed.delete(id)) output.topics.leave(claimTopic(output, id));
      if (before.has(id) !== this.speaks(id)) for (const listener of this.#listeners) listener(id);
      this.#release(id, output);
    }
    for (const id of this.#claimed) {
      if (ids.includes(id)) continue;
      this.#claimed.delete(id);
      output.topics.clear(claimTopic(output, id));
    }
    this.#expire(now);
  }

  /** After a standstill it takes some seconds until it is known who is dead, and what is held may be old by then. */
  #expire(now: number): void {
    if (Math.abs(now - this.#decidedAt) > standstillUs) this.#steadySince = now;
    this.#decidedAt = now;
    if (now - this.#steadySince > unsureUs) this.#held.leave(now - maxWaitUs);
  }

  /** The broker keeps one claim for a monitor: one that came later and is worth less is replaced. */
  #defend(id: string, claim: Claim): void {
    const own = this.#speakers.claim(id);
    if (!this.#output || own?.machine !== this.machine || claim.machine === this.machine) return;
    if (byRank(own, claim) < 0) this.#output.topics.repeat(claimTopic(this.#output, id));
  }

  /** Publishes what was held of a monitor, before anything newer is: as far as it is this machine's by what is known now. */
  #release(id: string, output: VoiceOutput): void {
    const judged = this.#held
      .take(id)
      .map((held) => ({ held, verdict: this.#speakers.verdict(id, held.event.time, nowUs()) }));
    const last = judged.findLastIndex(({ verdict }) => verdict === 'publish');
    const wanted: HeldEvent[] = [];
    for (const [index, { held, verdict }] of judged.entries()) {
      if (verdict === 'skip') held.settle('refused');
      else if (index > last) this.#held.keep(held);
      else {
        wanted.push(held);
        this.#released.set(held.event.id, { place: held.place, isDecided: verdict === 'wait' });
      }
    }
    if (wanted.length === 0) return;
    const outcomes = output.publishFirst(wanted.map(({ event }) => event));
    for (const [index, { event, settle }] of wanted.entries()) {
      const outcome = outcomes[index] ?? 'refused';
      settle(outcome);
      void Promise.resolve(outcome).then(() => this.#released.delete(event.id));
    }
  }

  #claim(id: string, claim: Claim, output: VoiceOutput): void {
    this.#claimed.add(id);
    output.topics.set(claimTopic(output, id), JSON.stringify(claim));
  }
}

const claimTopic = ({ prefix }: VoiceOutput, id: string) => `${prefix}/monitor/${id}/machine`;

function parseClaim(payload: Buffer): Claim | undefined {
  try {
    const claim: unknown = JSON.parse(payload.toString());
    return Check(claimShape, claim) ? claim : undefined;
  } catch {
    return undefined;
  }
}

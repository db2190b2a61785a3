import Type from 'typebox';
import { Check } from 'typebox/value';
import { nowUs } from '../../base/time.ts';
import type { DetectionEvent } from '../../messages.ts';
import type { BrokerSession } from '../broker/broker-session.ts';
import type { RetainedTopics } from '../topics/retained-topics.ts';
import type { Voice } from '../topics/voice.ts';
import { byRank, type Claim } from './claim.ts';
import { HeldEvents } from './held-events.ts';
import { RollCall } from './roll-call.ts';
import { type HeardMachine, Speakers } from './speakers.ts';

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
  /** Events of one monitor, oldest first; before all that wait, which are newer. */
  publishFirst(events: readonly DetectionEvent[]): void;
}

const claimShape = Type.Object({
  machine: Type.String({ minLength: 1, maxLength: 253 }),
  rank: Type.Integer({ minimum: 0 }),
  streaming: Type.Boolean(),
  turns: Type.Array(Type.Object({ machine: Type.String(), since: Type.Integer({ minimum: 0 }) }), {
    maxItems: 64,
  }),
});

/** For which monitors this machine of a cluster speaks, from heartbeats and from what the others have retained at the broker. */
export class SiteVoice implements Voice {
  readonly #options: SiteVoiceOptions;
  readonly #speakers: Speakers;
  readonly #held = new HeldEvents();
  readonly #listeners = new Set<(monitorID: string) => void>();
  readonly #end: () => void;
  /** The monitors for which there is a claim of this machine. */
  readonly #claimed = new Set<string>();
  #output: VoiceOutput | undefined;
  #rollCall: RollCall | undefined;
  #session: BrokerSession | undefined;
  /** While it is not known what the broker has, nothing is decided. */
  #isLearning = true;

  constructor(options: SiteVoiceOptions) {
    this.#options = options;
    const { site, monitors } = options;
    this.#speakers = new Speakers({ machine: site.machine, monitors, startedAt: nowUs() });
    this.#end = site.onHeard((machine) => {
      if (machine !== undefined) this.#speakers.hear(machine, nowUs());
      this.#decide();
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

  /** Called before an event is queued: what is held comes first if the clock was set back, before the next heartbeat tells. */
  noticeClock(): void {
    if (this.#speakers.isSetBack(nowUs())) this.#decide();
  }

  /** Asked when an event is about to be sent: false if another machine publishes what it shows. */
  admits(event: DetectionEvent): boolean {
    const verdict = this.#speakers.verdict(event.monitorID, event.time, nowUs());
    if (verdict === 'wait') this.#held.add(event);
    return verdict === 'publish';
  }

  close(): void {
    this.#end();
  }

  #decide(): void {
    const output = this.#output;
    if (!output || this.#isLearning) return;
    this.#speakers.setConnected(output.isConnected());
    const ids = this.#options.monitors().map(({ id }) => id);
    const before = new Set(ids.filter((id) => this.speaks(id)));
    for (const id of this.#speakers.decide(this.#options.site.heard(), nowUs())) {
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
  }

  /** The broker keeps one claim for a monitor: one that came later and is worth less is replaced. */
  #defend(id: string, claim: Claim): void {
    const own = this.#speakers.claim(id);
    if (!this.#output || own?.machine !== this.machine || claim.machine === this.machine) return;
    if (byRank(own, claim) < 0) this.#output.topics.repeat(claimTopic(this.#output, id));
  }

  /** Publishes what was held of a monitor, before anything newer is: as far as it is this machine's by what is known now. */
  #release(id: string, output: VoiceOutput): void {
    const wanted = this.#held.take(id, nowUs()).filter((event) => this.admits(event));
    if (wanted.length > 0) output.publishFirst(wanted);
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

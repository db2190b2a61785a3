import type { Heartbeat } from '../../../bus/nats/control/control-messages.ts';
import type { OwnerRecord, Proposal } from '../../../bus/nats/control/owner-records.ts';
import { ArrivingPictures } from './arriving-pictures.ts';
import { OwnTenures } from './own-tenures.ts';
import {
  byPreference,
  lighterMachine,
  mayRecord,
  nextOwner,
  type RecordingMachine,
  type SharedMonitor,
} from './placement.ts';
import { Quorum, type QuorumOptions } from './quorum.ts';
import { Silences } from './silences.ts';
import { SiteView, silenceMs } from './site-view.ts';

export interface OwnershipOptions extends RecordingMachine, QuorumOptions {
  monitors(): readonly SharedMonitor[];
  /** Milliseconds of a monotonic clock. */
  readonly startedAt: number;
}

/** Milliseconds for which the machine that is not the first choice leaves it to those before it; at most twice this. */
const turnMs = 500;
/** A clock that jumps by more between two calls of `decide` says that this machine stood still. */
const standstillMs = 1500;
/** So long another machine must have said that it has pictures: one that stood still says so until it notices that it has none. */
const steadyMs = 5000;
/** Pause after a change that was refused or not answered. */
const retryMs = 2000;
/** Pause before the machine that lost a monitor claims it again: two that do not hear each other take turns slowly. */
const lostMs = 30_000;
/** No monitor is moved for the sake of balance for this long after a fault. */
const calmMs = 30_000;
/** An owner that gets no pictures for so long offers the monitor to a machine that may. */
const noPicturesMs = 10_000;
/** A move that takes longer is given up. */
const moveMs = 15_000;

/**
 * The decisions of one machine: which monitors it records, and which records it asks to change.
 *
 * Record first, decide later: it begins as soon as nobody is heard to record a monitor, and ends only when it has heard
 * the owner record it for a while. Who owns a monitor is decided by compare-and-set, at whatever speed; footage never waits for that.
 * It has no timers and no input but its methods; call `decide` at least every 250 ms.
 */
export class Ownership {
  readonly quorum: Quorum;
  /** As of the last decision. */
  readonly tenures: OwnTenures;
  readonly #options: OwnershipOptions;
  readonly #view: SiteView;
  readonly #records = new Map<string, OwnerRecord>();
  readonly #learnedAt = new Map<string, number>();
  readonly #pictures = new ArrivingPictures();
  readonly #claimAfter = new Map<string, number>();
  readonly #proposed = new Set<string>();
  /** Moves that came to nothing, until a machine comes or goes, or the one that was asked has pictures all the same. */
  readonly #declined = new Set<string>();
  readonly #silences: Silences;
  /** The highest token that this machine has heard of. */
  #lastSequence = 0;
  /** Up to where it knows all records. */
  #readSequence = -1;
  #mustRead = true;
  #lastCall: number;
  #disturbedAt: number;
  #company = '';
  #leaving = false;

  constructor(options: OwnershipOptions) {
    this.#options = options;
    this.quorum = new Quorum(options);
    this.tenures = new OwnTenures(options.machine);
    this.#view = new SiteView(options.startedAt);
    this.#silences = new Silences(this.#view);
    this.#lastCall = this.#disturbedAt = options.startedAt;
  }

  /** An owner's heartbeats also say what its records are. */
  hear(beat: Heartbeat, now: number): void {
    const { machine, attends } = beat;
    if (machine === this.#options.machine) return;
    this.quorum.hear(beat);
    this.#view.hear(beat, now);
    for (const { id, token, next, streaming } of attends) {
      if (streaming) this.#declined.delete(`${id} ${machine}`);
      if (token > 0) this.learn({ id, owner: machine, token, ...(next !== undefined && { next }) }, now);
    }
  }

  /** Whether the records are to be read; until then heartbeats say what changes. */
  get mustRead(): boolean {
    return this.#mustRead;
  }

  /** The stream of the records was at this sequence number, and `learn` has been called with what was read after that. */
  caughtUp(sequence: number): void {
    this.#readSequence = sequence;
    this.#mustRead = false;
  }

  /** Takes a record as it is in the stream; one that is older than the known one is ignored. */
  learn(record: OwnerRecord, now: number): void {
    const { id, token, owner } = record;
    this.#lastSequence = Math.max(this.#lastSequence, token);
    const known = this.#records.get(id);
    if (known && known.token >= token) return;
    const wasMine = known?.owner === this.#options.machine;
    if (wasMine && owner !== known.owner && known.next !== owner) this.#claimAfter.set(id, now + lostMs);
    this.#records.set(id, record);
    this.#learnedAt.set(id, now);
  }

  /** The stream has no record of this monitor, and had none since it was at this sequence number: it was deleted meanwhile. */
  forget(id: string, sequence: number): void {
    if ((this.#records.get(id)?.token ?? 0) <= sequence && this.#records.delete(id))
      this.#silences.forget(id);
  }

  /** Whether pictures of a monitor arrive at this machine. */
  setStreaming(id: string, streaming: boolean): void {
    this.#pictures.set(id, streaming);
  }

  /** A proposal was answered, or will not be. If it was stored, `learn` is called with the record before. */
  settled(id: string, isStored: boolean, now: number): void {
    this.#proposed.delete(id);
    if (isStored) return;
    this.#mustRead = true;
    this.#claimAfter.set(id, Math.max(this.#claimAfter.get(id) ?? 0, now + retryMs));
  }

  /** From now on this machine attends nothing, and says so. */
  leave(): void {
    this.#leaving = true;
    for (const id of this.attended) this.tenures.end(id);
  }

  /** The monitors that this machine records or tries to. */
  get attended(): ReadonlySet<string> {
    return this.tenures.ids;
  }

  ownerOf(id: string): OwnerRecord | undefined {
    return this.#records.get(id);
  }

  beat(): Heartbeat {
    const { machine, capacity } = this.#options;
    const attends = [...this.attended].map((id) => {
      const record = this.#records.get(id);
      const { token, next } = record?.owner === machine ? record : { token: 0 };
      const common = { id, rank: this.tenures.rankOf(id), streaming: this.#pictures.has(id) };
      return { ...common, token, ...(next !== undefined && { next }) };
    });
    return { machine, capacity, leaving: this.#leaving, attends };
  }

  alive(now: number): readonly Heartbeat[] {
    return [...(this.#leaving ? [] : [this.beat()]), ...this.#view.alive(now)];
  }

  hasQuorum(now: number): boolean {
    return this.quorum.isThere(this.alive(now));
  }

  /** Decides which monitors are attended from now on. @returns the changes of records to ask for. */
  decide(now: number): readonly Proposal[] {
    if (this.#leaving) return [];
    if (now - this.#lastCall > standstillMs) {
      this.#view.excuseSilence(now);
      this.#disturbedAt = now;
    }
    this.#lastCall = now;
    const company = this.#view.company(now);
    if (company !== this.#company) {
      this.#company = company;
      this.#disturbedAt = now;
      this.#declined.clear();
    }
    const monitors = this.#options.monitors();
    const ids = new Set(monitors.map(({ id }) => id));
    for (const id of this.attended) if (!ids.has(id)) this.tenures.end(id);
    this.#silences.keep(ids, now);
    const hasQuorum = this.hasQuorum(now);
    for (const monitor of monitors) this.#attend(monitor, now, hasQuorum);
    const claims = monitors.flatMap((monitor) => this.#claim(monitor, now) ?? []);
    const move = claims.length === 0 ? this.#planMove(monitors, now) : undefined;
    const proposals = move ? [...claims, move] : claims;
    for (const { id } of proposals) this.#proposed.add(id);
    return proposals;
  }

  #attend(monitor: SharedMonitor, now: number, hasQuorum: boolean): void {
    const { id } = monitor;
    const isMine = this.#records.get(id)?.owner === this.#options.machine;
    if (isMine || (this.tenures.has(id) ? !this.#isRelieved(id, now) : this.#begins(monitor, now))) {
      const isOwnerSilent = this.#silence(id, now) >= silenceMs;
      const heard = { isOwnerSilent, isElsewhere: this.#view.isAttended(id, now), hasQuorum };
      this.tenures.note(id, this.#records.get(id), heard);
    } else this.tenures.end(id);
    this.#pictures.expect(id, isMine, now);
  }

  /** Whether somebody else is heard to record a monitor that this machine does not own. */
  #isRelieved(id: string, now: number): boolean {
    const record = this.#records.get(id);
    // A claim that is under way may make this machine the owner, while the one before relies on it.
    if (this.#isAwaited(record, now) || this.#proposed.has(id)) return false;
    const isOwnerSilent = this.#silence(id, now) >= silenceMs;
    return this.#view.heard(now).some(({ machine, attends }) => {
      const other = attends.find((attended) => attended.id === id);
      if (!other?.streaming || this.#view.streamingMs(machine, id, now) < steadyMs) return false;
      if (machine === record?.owner) return other.token >= record.token;
      // Of two that record provisionally while nobody can decide, the first by name goes on.
      return isOwnerSilent && machine < this.#options.machine;
    });
  }

  #begins(monitor: SharedMonitor, now: number): boolean {
    const { id } = monitor;
    if (!mayRecord(this.#options, monitor)) return false;
    if (this.#isAwaited(this.#records.get(id), now)) return true;
    const silence = this.#silence(id, now);
    if (silence < silenceMs) return false;
    const alive = this.alive(now);
    const places = alive.filter((place) => mayRecord(place, monitor));
    const turn = byPreference(places, id).findIndex(({ machine }) => machine === this.#options.machine);
    if (silence < silenceMs + Math.min(turn, 2) * turnMs) return false;
    if (this.#view.isAttended(id, now) || this.quorum.waitedFor(alive).length > 0) return false;
    this.#disturbedAt = now;
    return true;
  }

  /** Whether the owner, which is there, has asked this machine to take the monitor over. */
  #isAwaited(record: OwnerRecord | undefined, now: number): boolean {
    if (record?.next !== this.#options.machine) return false;
    return this.#view.alive(now).some(({ machine }) => machine === record.owner);
  }

  #claim({ id }: SharedMonitor, now: number): Proposal | undefined {
    const { machine } = this.#options;
    const record = this.#records.get(id);
    if (this.#proposed.has(id) || now < (this.#claimAfter.get(id) ?? 0)) return undefined;
    const expected = record?.token ?? 0;
    if (record?.owner === machine) {
      if (record.next === undefined) return undefined;
      const next = this.#view.alive(now).find((other) => other.machine === record.next);
      if (next && now - (this.#learnedAt.get(id) ?? 0) < moveMs) return undefined;
      // One that records it could not claim it; another time it will.
      const isRecorded = next?.attends.some((other) => other.id === id && other.streaming);
      if (!isRecorded) this.#declined.add(`${id} ${record.next}`);
      return { id, owner: machine, expected };
    }
    if (!this.tenures.has(id)) return undefined;
    const isTaken = this.#isAwaited(record, now) && this.#pictures.has(id);
    return isTaken || this.#silence(id, now) >= silenceMs ? { id, owner: machine, expected } : undefined;
  }

  /**
   * One monitor at a time, from the machine that records more than its share, that does not reach the camera, or that gets no
   * pictures from it. The next machine claims it only once it has pictures.
   */
  #planMove(monitors: readonly SharedMonitor[], now: number): Proposal | undefined {
    const { machine } = this.#options;
    if (now - this.#disturbedAt < calmMs || this.#proposed.size > 0 || !this.hasQuorum(now)) return undefined;
    const counts = new Map<string, number>();
    const places = this.alive(now);
    for (const monitor of monitors) {
      const record = this.#records.get(monitor.id);
      // One that no machine may record keeps the others from nothing.
      if (!record && !places.some((place) => mayRecord(place, monitor))) continue;
      if (!record || record.next !== undefined) return undefined;
      counts.set(record.owner, (counts.get(record.owner) ?? 0) + 1);
    }
    for (const monitor of monitors) {
      const { id } = monitor;
      const record = this.#records.get(id);
      if (record?.owner !== machine || now < (this.#claimAfter.get(id) ?? 0)) continue;
      const others = this.#view
        .alive(now)
        .filter((place) => mayRecord(place, monitor) && !this.#declined.has(`${id} ${place.machine}`));
      const reaches = mayRecord(this.#options, monitor);
      const withoutMs = this.#pictures.missingMs(id, now);
      if (reaches && !this.#pictures.has(id) && withoutMs < noPicturesMs) continue;
      const isServed = reaches && withoutMs < noPicturesMs;
      const next = isServed ? lighterMachine(this.#options, others, counts) : nextOwner(others, id);
      if (!next) continue;
      // Another machine's move may be among the changes that were not heard of.
      this.#mustRead ||= this.#lastSequence > this.#readSequence;
      if (this.#mustRead) return undefined;
      const expected = record.token;
      return { id, owner: machine, next: next.machine, expected, expectedLast: this.#readSequence };
    }
    return undefined;
  }

  #silence = (id: string, now: number) => this.#silences.of(id, this.#records.get(id), now);
}

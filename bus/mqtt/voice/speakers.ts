import { byRank, type Candidate, type Claim, isSameClaim } from './claim.ts';
import { detectorsBegin, type MonitorVoice, newMonitorVoice } from './monitor-voice.ts';
import { OtherMachines } from './other-machines.ts';
import { nobody } from './turns.ts';

/** A machine that is heard, and the monitors that it records or tries to. */
export interface HeardMachine {
  readonly machine: string;
  readonly attends: readonly {
    readonly id: string;
    /** Of two that record it, the one with the higher rank speaks. */
    readonly rank: number;
    /** Whether pictures arrive. */
    readonly streaming: boolean;
  }[];
}

export interface SpeakersOptions {
  readonly machine: string;
  monitors(): readonly { readonly id: string; readonly isEnabled: boolean }[];
  /** Unix time in microseconds. */
  readonly startedAt: number;
}

/** `wait`: another machine publishes what happens, as far as is known; should it be dead, this one has to. */
type Verdict = 'publish' | 'wait' | 'skip';

/** How long an event may wait for another machine to be dead, in microseconds. */
export const maxWaitUs = 60_000_000;
/** For so long after the end of a turn its events are published all the same: clocks differ. */
const slackUs = 2_000_000;
/** What is later than now by more than this is of a clock that was set back since. */
const setBackUs = 2_000_000;
const maxVoices = 2000;
/** A monitor of which nobody gets pictures for so long is taken for offline: takeovers are quicker. */
const unseenUs = 10_000_000;

/**
 * Decides which of several machines publishes the states and events of a monitor: its owner, or, while that is not heard,
 * whoever records it. Machines that do not hear each other see each other's claims at the broker.
 *
 * It has no timers and no connection; times are Unix times in microseconds.
 */
export class Speakers {
  readonly #options: SpeakersOptions;
  readonly #voices = new Map<string, MonitorVoice>();
  readonly #others: OtherMachines;
  #configured: readonly string[] = [];
  #isConnected = false;
  #decidedAt = 0;
  /** By this machine's clock of now. */
  #startedAt: number;

  constructor(options: SpeakersOptions) {
    this.#options = options;
    this.#startedAt = options.startedAt;
    this.#others = new OtherMachines(options.startedAt);
  }

  /** A heartbeat of another machine. @returns whether it was silent until now. */
  hear(machine: string, now: number): boolean {
    return this.#others.hear(machine, now);
  }

  /** Whether this machine is connected to the broker; each connection begins with what that has retained. */
  setConnected(isConnected: boolean): void {
    if (!isConnected) this.#others.forgetOnline();
    this.#isConnected = isConnected;
  }

  /** What the broker says of another machine. */
  setOnline(machine: string, isOnline: boolean, now: number): void {
    this.#others.setOnline(machine, isOnline, now);
  }

  /** What the broker has retained for a monitor. This machine's own one is from before its start. */
  learn(id: string, claim: Claim): void {
    if (this.#voices.size >= maxVoices && !this.#voices.has(id)) return;
    const voice = this.#voiceOf(id);
    const { machine } = this.#options;
    const beats = this.#others.beats(claim.machine);
    if (claim.machine !== machine) voice.claims.set(claim.machine, { claim, beats });
    // One that is still there has published all that time.
    const isRefuted = voice.isTentative && claim.machine !== machine && this.#others.isOnline(claim.machine);
    if (!isRefuted && !voice.turns.isBefore(claim.turns)) return;
    voice.isTentative = false;
    voice.turns.replace(claim.turns);
    const { last } = voice.turns;
    // Until when it was there then, it does not know.
    if (!voice.hasBegun && last?.machine === machine) {
      voice.turns.begin({ machine: nobody, since: last.since + 1 });
    }
  }

  speaks(id: string): boolean {
    return this.#voices.get(id)?.isSpeaking ?? false;
  }

  /** What this machine has to retain, for itself or for the one that speaks from now on and cannot. */
  claim(id: string): Claim | undefined {
    return this.#voices.get(id)?.claim;
  }

  /** This machine has detected something. @param time of the frame. */
  detected(id: string, time: number): void {
    const voice = this.#voiceOf(id);
    if (voice.streamingSince !== undefined && time >= voice.streamingSince) voice.detectedAt ??= time;
  }

  /** @param time of the frame in which this machine has detected something. */
  verdict(id: string, time: number, now: number): Verdict {
    const { machine } = this.#options;
    const { turns } = this.#voiceOf(id);
    const { last } = turns;
    // No other machine's turn: it is of this clock, before it was set back.
    if (time > now + setBackUs) return 'publish';
    const turn = turns.at(time);
    if (turn?.machine === nobody || turns.hadIt(machine, time - slackUs, time)) return 'publish';
    // Left over from before this start, of which it does not know whether it spoke.
    if (time < this.#startedAt) return 'publish';
    // From before the time that is known, by which the others have their own events.
    if (!turn && last) return 'publish';
    return turn === last && time > now - maxWaitUs ? 'wait' : 'skip';
  }

  /** Whether the clock was set back since the last decision. */
  isSetBack(now: number): boolean {
    return now < this.#decidedAt - setBackUs;
  }

  /** @param heard this machine included. @returns the monitors for which something is other than before. */
  decide(heard: readonly HeardMachine[], now: number): readonly string[] {
    const monitors = this.#options.monitors();
    // What waits would be published after what comes now, which has earlier times.
    const isSetBack = this.isSetBack(now);
    this.#decidedAt = now;
    // Else all that comes now would be taken for what a former start has left.
    if (isSetBack) this.#startedAt = Math.min(this.#startedAt, now);
    const changed = monitors
      .filter((monitor) => this.#decideOne(monitor, heard, now) || isSetBack)
      .map(({ id }) => id);
    const ids = monitors.map(({ id }) => id);
    // Another machine may speak of one that is not known here yet.
    for (const id of this.#configured) if (!ids.includes(id)) this.#voices.delete(id);
    this.#configured = ids;
    return changed;
  }

  #voiceOf(id: string): MonitorVoice {
    const known = this.#voices.get(id);
    if (known) return known;
    const voice = newMonitorVoice();
    this.#voices.set(id, voice);
    return voice;
  }

  #decideOne(
    { id, isEnabled }: { id: string; isEnabled: boolean },
    heard: readonly HeardMachine[],
    now: number,
  ): boolean {
    const { machine } = this.#options;
    const voice = this.#voiceOf(id);
    const [wasSpeaking, before] = [voice.isSpeaking, voice.claim];
    if (this.#isConnected) voice.isTentative = false;
    for (const { machine: other, attends } of heard) {
      if (attends.some((each) => each.id === id)) voice.attendedAt.set(other, now);
    }
    const candidates = this.#candidates(id, heard);
    const own = candidates.find((each) => each.machine === machine);
    const streamedSince = voice.streamingSince;
    if (own?.streaming !== true) [voice.streamingSince, voice.detectedAt] = [undefined, undefined];
    else voice.streamingSince ??= now;
    const [best] = candidates;
    if (best?.streaming) voice.unseenSince = undefined;
    else voice.unseenSince ??= now;
    const isOffline = voice.unseenSince !== undefined && now - voice.unseenSince >= unseenUs;
    // One that takes over has no pictures at first, and nothing to say.
    const isOwn = best?.machine === machine && (best.streaming || wasSpeaking || isOffline);
    if (isOwn) {
      const { pause, streamingSince } = voice;
      // The one that was to take over may have been cut off before it could say so, and has seen what this one did not.
      const isInterrupted = pause !== undefined && pause.streamingSince !== streamingSince;
      if (voice.turns.last?.machine !== machine || isInterrupted) this.#begin(voice, heard, now);
      this.#keepFuture(voice, now);
      voice.claim = { ...best, turns: voice.turns.list };
      voice.pause = undefined;
    } else {
      voice.isAwaitingDetectors = false;
      if (before?.machine === machine) voice.pause = { at: now, streamingSince: streamedSince };
      voice.claim = this.#handOver(voice, best, now);
    }
    const isForNobody = !best && (!isEnabled || isOffline) && this.#isFirst(heard);
    voice.isSpeaking = isOwn || isForNobody;
    return voice.isSpeaking !== wasSpeaking || !isSameClaim(voice.claim, before);
  }

  /** A machine that records the monitor and does not reach the broker cannot say that what it sees is its own from now on. */
  #handOver(voice: MonitorVoice, best: Candidate | undefined, now: number): Claim | undefined {
    const { machine } = this.#options;
    const { turns } = voice;
    const { last } = turns;
    if (!best || best.machine === machine) return undefined;
    if (this.#others.isOnline(best.machine)) voice.hasHandedOver = false;
    else if (last?.machine === machine || last?.machine === nobody) {
      // The broker may have noticed late that it is gone.
      const seenUntil = (last.machine === machine && voice.attendedAt.get(machine)) || now;
      turns.begin({ machine: best.machine, since: Math.max(seenUntil, last.since + 1) });
      voice.hasHandedOver = true;
    }
    const isHandedOver = voice.hasHandedOver && turns.last?.machine === best.machine;
    return isHandedOver ? { ...best, turns: turns.list } : undefined;
  }

  /** Those that record a monitor, the best first. */
  #candidates(id: string, heard: readonly HeardMachine[]): Candidate[] {
    const found = heard.flatMap(({ machine, attends }): Candidate[] => {
      const attended = attends.find((each) => each.id === id);
      return attended ? [{ machine, rank: attended.rank, streaming: attended.streaming }] : [];
    });
    for (const { claim, beats } of this.#voices.get(id)?.claims.values() ?? []) {
      const { machine, rank, streaming } = claim;
      if (!this.#others.isOnline(machine) || found.some((each) => each.machine === machine)) continue;
      // A claim may come before the heartbeat that says that it records the monitor: without it, both would claim it in turn.
      if (heard.some((each) => each.machine === machine) && this.#others.beats(machine) > beats) continue;
      found.push({ machine, rank, streaming });
    }
    return found.sort(byRank);
  }

  /** Of those at the broker, one says of monitors that nobody records that they are disabled or offline. */
  #isFirst(heard: readonly HeardMachine[]): boolean {
    const { machine } = this.#options;
    return !heard.some((other) => other.machine < machine && this.#others.isOnline(other.machine));
  }

  /** What the machine before this one has published by itself, or will, is before the turn that begins. */
  #begin(voice: MonitorVoice, heard: readonly HeardMachine[], now: number): void {
    const { machine } = this.#options;
    const { turns } = voice;
    const { last } = turns;
    voice.hasBegun = true;
    if (!voice.isAwaitingDetectors) voice.isTentative = !this.#isConnected;
    const before = last?.since ?? -1;
    const ended = this.#ended(voice, heard, now);
    // Without a broker it does not know either what another machine has seen until now.
    const isFirst = !last && this.#isConnected;
    // Until its detectors have begun, another machine that records it may see what this one does not.
    const detectsAt = detectorsBegin(voice, now);
    const since = isFirst ? 0 : Math.max(ended, detectsAt ?? Number.POSITIVE_INFINITY, before + 1);
    const endedAt = Math.max(ended, before + 1);
    if (last?.machine !== nobody && endedAt < since) turns.begin({ machine: nobody, since: endedAt });
    voice.isAwaitingDetectors = since === Number.POSITIVE_INFINITY;
    if (!voice.isAwaitingDetectors) turns.begin({ machine, since });
  }

  /** Until when the machine that had the last turn could publish what happened. */
  #ended(
    { turns: { last }, attendedAt, pause }: MonitorVoice,
    heard: readonly HeardMachine[],
    now: number,
  ): number {
    if (!last || last.machine === nobody) return 0;
    if (last.machine === this.#options.machine) return pause?.at ?? 0;
    const isHeard = heard.some((each) => each.machine === last.machine);
    return this.#others.ended(last, attendedAt.get(last.machine) ?? 0, isHeard, now);
  }

  /**
   * A turn that begins later than now is by another clock: that of the machine before, or this one before it was set back. Until this
   * clock is there too, nobody has the turn.
   */
  #keepFuture({ turns }: MonitorVoice, now: number): void {
    const { machine } = this.#options;
    const { last } = turns;
    const current = turns.at(now)?.machine ?? machine;
    if (!last || last.since <= now || current === machine || current === nobody) return;
    turns.begin({ machine: nobody, since: Math.max(0, now - slackUs) });
    turns.begin({ machine, since: last.since + 1 });
  }
}

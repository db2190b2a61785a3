import type { Heartbeat } from '../../../bus/nats/control/control-messages.ts';

/** How long a machine may be silent before others record its monitors, in milliseconds. */
export const silenceMs = 3000;

interface HeardMachine {
  at: number;
  beat: Heartbeat;
  /** When it was last heard to attend each monitor. */
  readonly attendedAt: Map<string, number>;
  /** Since when it has said of each monitor, in every heartbeat, that pictures arrive. */
  readonly streamingSince: Map<string, number>;
}

/**
 * What this machine has heard of the others. Times are milliseconds of this machine's monotonic clock; they are never
 * compared with those of another machine.
 */
export class SiteView {
  readonly #machines = new Map<string, HeardMachine>();
  /** From here on silence counts: the start, or the end of a standstill of this machine. */
  #since: number;

  constructor(startedAt: number) {
    this.#since = startedAt;
  }

  hear(beat: Heartbeat, now: number): void {
    const { machine, attends, leaving } = beat;
    const known = this.#machines.get(machine);
    const heard = known ?? {
      ...{ at: now, beat, attendedAt: new Map<string, number>(), streamingSince: new Map<string, number>() },
    };
    const streaming = new Set(attends.filter((attended) => attended.streaming).map(({ id }) => id));
    const wasSilent = now - heard.at >= silenceMs;
    for (const id of heard.streamingSince.keys())
      if (wasSilent || !streaming.has(id)) heard.streamingSince.delete(id);
    for (const id of streaming) if (!heard.streamingSince.has(id)) heard.streamingSince.set(id, now);
    heard.at = now;
    heard.beat = beat;
    if (leaving) heard.attendedAt.clear();
    for (const { id } of attends) heard.attendedAt.set(id, now);
    this.#machines.set(machine, heard);
  }

  /** After a standstill of this machine, in which it could hear nobody: everybody counts as just heard. */
  excuseSilence(now: number): void {
    this.#since = now;
  }

  /** The machines that were heard within the last three seconds and are not leaving. */
  alive(now: number): readonly Heartbeat[] {
    return [...this.#machines.values()]
      .filter(({ at, beat }) => !beat.leaving && now - Math.max(at, this.#since) < silenceMs)
      .map(({ beat }) => beat);
  }

  /** Whether one of them attends the monitor. */
  isAttended(id: string, now: number): boolean {
    return this.alive(now).some(({ attends }) => attends.some((attended) => attended.id === id));
  }

  /** Their names, to notice when one comes or goes. */
  company(now: number): string {
    return this.alive(now)
      .map(({ machine }) => machine)
      .sort()
      .join(' ');
  }

  /** Those of them that were really heard: what a machine said before a standstill of this one may be long ago. */
  heard(now: number): readonly Heartbeat[] {
    return this.alive(now).filter(({ machine }) => now - (this.#machines.get(machine)?.at ?? 0) < silenceMs);
  }

  /** For how many milliseconds it has said without a silence that pictures of the monitor arrive. */
  streamingMs(machine: string, id: string, now: number): number {
    return now - (this.#machines.get(machine)?.streamingSince.get(id) ?? now);
  }

  /** Milliseconds since this machine was heard to attend the monitor; `Infinity` when it has said that it leaves. */
  silence(machine: string | undefined, id: string, now: number): number {
    const heard = machine === undefined ? undefined : this.#machines.get(machine);
    if (heard?.beat.leaving) return Number.POSITIVE_INFINITY;
    return now - Math.max(heard?.attendedAt.get(id) ?? 0, this.#since);
  }
}

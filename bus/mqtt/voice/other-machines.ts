import type { Turn } from './turns.ts';

/** The broker notices so late that a machine is no longer there. */
const noticeUs = 5_000_000;
/** Lists have the next owner's events before it speaks: by so much at most. */
const overlapUs = 500_000;
/** So long without a heartbeat, a machine stands still or is cut off; and for so long after that it matters. */
const silentUs = 2_000_000;
const recentUs = 10_000_000;

/** When the other machines were heard, and which of them are connected to the broker. Unix times in microseconds. */
export class OtherMachines {
  readonly #startedAt: number;
  readonly #heardAt = new Map<string, number>();
  readonly #beats = new Map<string, number>();
  /** The last time in which each was not heard. */
  readonly #silences = new Map<string, { readonly from: number; readonly to: number }>();
  readonly #online = new Set<string>();
  /** When they were lost at the broker. */
  readonly #lostAt = new Map<string, number>();

  constructor(startedAt: number) {
    this.#startedAt = startedAt;
  }

  /** @returns whether it was silent until now. */
  hear(machine: string, now: number): boolean {
    const from = this.#heardAt.get(machine) ?? now;
    const isBack = now - from > silentUs;
    if (isBack) this.#silences.set(machine, { from, to: now });
    this.#heardAt.set(machine, now);
    this.#beats.set(machine, this.beats(machine) + 1);
    return isBack;
  }

  /** How many heartbeats of it have come. */
  beats(machine: string): number {
    return this.#beats.get(machine) ?? 0;
  }

  isOnline(machine: string): boolean {
    return this.#online.has(machine);
  }

  setOnline(machine: string, isOnline: boolean, now: number): void {
    if (isOnline) this.#online.add(machine);
    else if (this.#online.delete(machine)) this.#lostAt.set(machine, now);
  }

  /** This machine is not connected to the broker: it does not know which others are. */
  forgetOnline(): void {
    this.#online.clear();
  }

  /**
   * Until when a machine could publish what happened at a monitor in its turn; 0 if that is not known.
   *
   * @param attendedAt when it was heard last to record the monitor.
   */
  ended({ machine, since }: Turn, attendedAt: number, isHeard: boolean, now: number): number {
    if (isHeard) {
      const { from, to } = this.#silences.get(machine) ?? { from: 0, to: 0 };
      const overlapAt = attendedAt - overlapUs;
      // One that stood still until just now has seen nothing meanwhile.
      return to > now - recentUs && from > since ? Math.min(from, overlapAt) : overlapAt;
    }
    // The last heartbeat of a machine counts for some seconds.
    const heardAt = Math.min(attendedAt, this.#heardAt.get(machine) ?? 0);
    // One that was cut off from all just now is not missed at the broker yet.
    if (this.#online.has(machine)) return heardAt > now - noticeUs ? heardAt : now;
    const lostAt = this.#lostAt.get(machine) ?? 0;
    return Math.max(heardAt, lostAt - noticeUs, 0) || this.#startedAt;
  }
}

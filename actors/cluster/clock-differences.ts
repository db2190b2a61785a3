/** So long the smallest difference is looked for: a heartbeat that is late makes it larger, never smaller. In milliseconds. */
const spanMs = 10_000;
/** Half of those that are sent in that time; fewer say nothing of it. */
const minBeats = 10;
/** What two machines have seen within 2 s is one event, and each may be late by some of that. */
const apartMs = 1000;
/** Well below that, so that clocks that are about so far apart are not told of again and again. */
const togetherMs = 500;

interface Span {
  readonly since: number;
  beats: number;
  smallestMs: number;
}

/** How far the clocks of other machines are from this one's. */
export class ClockDifferences {
  readonly #spans = new Map<string, Span>();
  readonly #apart = new Set<string>();

  /**
   * @param differenceMs this machine's time less that at which the other one has sent its heartbeat.
   * @param now milliseconds of this machine's monotonic clock.
   * @returns what is new: milliseconds by which the other clock is behind, below 0 if it is ahead; 0: both agree again.
   */
  hear(machine: string, differenceMs: number, now: number): number | undefined {
    const span = this.#spans.get(machine) ?? { since: now, beats: 0, smallestMs: differenceMs };
    span.beats++;
    span.smallestMs = Math.min(span.smallestMs, differenceMs);
    this.#spans.set(machine, span);
    if (now - span.since < spanMs) return undefined;
    this.#spans.delete(machine);
    if (span.beats < minBeats) return undefined;
    return this.#judge(machine, span.smallestMs);
  }

  #judge(machine: string, differenceMs: number): number | undefined {
    if (this.#apart.has(machine)) {
      if (Math.abs(differenceMs) > togetherMs) return undefined;
      this.#apart.delete(machine);
      return 0;
    }
    if (Math.abs(differenceMs) <= apartMs) return undefined;
    this.#apart.add(machine);
    return differenceMs;
  }
}

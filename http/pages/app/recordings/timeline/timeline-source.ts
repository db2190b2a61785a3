import { type ReadonlySignal, signal } from '@preact/signals';
import { getJson, RequestFailure } from '../../data/request.ts';
import type { SpanTimeline } from '../footage/span-timeline.ts';
import { moved, type TimeSpan } from './time-scale.ts';

/** Answers that are kept, so that what was seen a moment ago is there at once. */
const maxAnswers = 6;
/** Of the length of what is on the screen: so much is asked for on either side of it. */
const margin = 0.3;
/** The screen has to be still for so long, so that one movement is one question. */
const settleMs = 120;
const refreshMs = 10_000;

/** Asks for the timeline of what is on the screen; coarse answers serve until there are finer ones. */
export class TimelineSource {
  /** The finest last. */
  readonly answers = signal<readonly SpanTimeline[]>([]);
  readonly problem = signal<string | undefined>(undefined);
  readonly #monitors: string;
  readonly #span: ReadonlySignal<TimeSpan>;
  readonly #aborter = new AbortController();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #asking: AbortController | undefined;
  readonly #refresh: ReturnType<typeof setInterval>;

  /** @param monitors their ids; none means all. */
  constructor(monitors: readonly string[], span: ReadonlySignal<TimeSpan>) {
    this.#monitors = monitors.length > 0 ? `monitors=${monitors.join(',')}&` : '';
    this.#span = span;
    const end = span.subscribe(() => this.#look());
    this.#aborter.signal.addEventListener('abort', end);
    this.#refresh = setInterval(() => {
      const isNow = Date.now() * 1000 < this.#span.value.end;
      if (isNow && !document.hidden) void this.#ask();
    }, refreshMs);
  }

  close(): void {
    this.#aborter.abort();
    this.#asking?.abort();
    clearTimeout(this.#timer);
    clearInterval(this.#refresh);
  }

  #look(): void {
    const { start, end } = this.#span.value;
    const isKnown = this.answers.value.some(
      (answer) =>
        answer.start <= start && answer.end >= end && answer.end - answer.start <= (end - start) * 3,
    );
    clearTimeout(this.#timer);
    if (isKnown) return;
    const delayMs = this.answers.value.length === 0 ? 0 : settleMs;
    this.#timer = setTimeout(() => void this.#ask(), delayMs);
  }

  async #ask(): Promise<void> {
    this.#asking?.abort();
    const asking = new AbortController();
    this.#asking = asking;
    const span = this.#span.value;
    const side = (span.end - span.start) * margin;
    const start = Math.max(0, Math.floor(moved(span, -side).start));
    const end = Math.ceil(moved(span, side).end);
    try {
      const answer = await getJson<SpanTimeline>(
        `/api/timeline?${this.#monitors}start=${start}&end=${end}`,
        asking.signal,
      );
      this.problem.value = undefined;
      // What the new one has, and has as fine, is not needed any more.
      const others = this.answers.value.filter(
        (old) => old.bucket < answer.bucket || old.start < answer.start || old.end > answer.end,
      );
      const all = [...others.slice(-(maxAnswers - 1)), answer];
      this.answers.value = all.sort((a, b) => b.bucket - a.bucket);
      this.#look();
    } catch (error) {
      if (asking.signal.aborted) return;
      if (!(error instanceof RequestFailure)) throw error;
      this.problem.value = error.message;
    }
  }
}

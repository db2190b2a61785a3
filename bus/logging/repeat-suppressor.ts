import type { LogEntry } from '../messages.ts';

/** An entry that has not been written yet, so it has no time. */
export type LogDraft = Omit<LogEntry, 'time'>;

/** Equal entries of one minute. */
interface Run {
  readonly draft: LogDraft;
  /** By a clock that nobody sets, in milliseconds. */
  readonly begin: number;
  seen: number;
  /** Seen, but not written. */
  repeats: number;
}

const minute = 60_000;
/** Past this the oldest run is told and forgotten: messages may differ in a number each time. */
const maxRepeats = 1000;

/**
 * Lets the first few of equal entries pass and counts those that follow, so that what goes wrong again and again
 * cannot fill the log. The count is written once a minute, and at the end.
 */
export class RepeatSuppressor {
  readonly #write: (draft: LogDraft, note: string) => void;
  /** By what makes entries equal, in the order in which they began. */
  readonly #runs = new Map<string, Run>();
  #timer: NodeJS.Timeout | undefined;
  /** How many equal entries of a minute are written as they are; 0: all. */
  limit = 0;

  /** @param write stores an entry. `note` belongs behind its text: ` (12 more times in 60 s)`, or nothing. */
  constructor(write: (draft: LogDraft, note: string) => void) {
    this.#write = write;
  }

  /** Writes an entry, or counts it. */
  write(draft: LogDraft): void {
    if (this.limit === 0) {
      this.#write(draft, '');
      return;
    }
    const key = `${draft.level} ${draft.src} ${draft.monitorID} ${draft.msg}`;
    const run = this.#runs.get(key) ?? this.#begin(key, draft, 0);
    run.seen += 1;
    if (run.seen <= this.limit) this.#write(draft, '');
    else run.repeats += 1;
  }

  /** Tells what was counted and forgets it. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    for (const key of [...this.#runs.keys()]) this.#end(key);
  }

  #begin(key: string, draft: LogDraft, seen: number): Run {
    const [oldest] = this.#runs.keys();
    if (oldest !== undefined && this.#runs.size >= maxRepeats) this.#end(oldest);
    const run = { draft, begin: performance.now(), seen, repeats: 0 };
    this.#runs.set(key, run);
    if (!this.#timer) this.#wake();
    return run;
  }

  #end(key: string): void {
    const run = this.#runs.get(key);
    this.#runs.delete(key);
    if (!run || run.repeats === 0) return;
    const seconds = Math.max(1, Math.round((performance.now() - run.begin) / 1000));
    const times = run.repeats === 1 ? 'once more' : `${run.repeats} more times`;
    this.#write(run.draft, ` (${times} in ${seconds} s)`);
  }

  /** Ends the runs whose minute is over. */
  #settle(): void {
    this.#timer = undefined;
    const now = performance.now();
    for (const [key, run] of [...this.#runs]) {
      if (run.begin + minute > now) break;
      this.#end(key);
      // It goes on as it was: another few entries beside the count would tell nothing new.
      if (run.repeats > this.limit) this.#begin(key, run.draft, this.limit);
    }
    this.#wake();
  }

  /** When the oldest run's minute is over. */
  #wake(): void {
    const [oldest] = this.#runs.values();
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (!oldest) return;
    const left = Math.max(0, oldest.begin + minute - performance.now());
    // A process need not live on for it: at its end it flushes.
    this.#timer = setTimeout(() => this.#settle(), left).unref();
  }
}

import type { LogEntry } from '../messages.ts';

/** An entry that is not written yet, so it has no time. */
export type LogDraft = Omit<LogEntry, 'time'>;

/** Equal entries of one minute. */
interface Run {
  readonly draft: LogDraft;
  /** Start of the run on the monotonic clock, in milliseconds. */
  readonly begin: number;
  seen: number;
  /** Entries counted instead of written. */
  repeats: number;
}

const minute = 60_000;
/** Past this many runs the oldest one is written and dropped: messages may differ in a number each time. */
const maxRepeats = 1000;

/**
 * Writes the first few of equal entries and counts the rest, so that a recurring error cannot fill the log. The count is
 * written once a minute, and on `flush`.
 */
export class RepeatSuppressor {
  readonly #write: (draft: LogDraft, note: string) => void;
  /** By level, source, monitor and text, in the order in which they began. */
  readonly #runs = new Map<string, Run>();
  #timer: NodeJS.Timeout | undefined;
  /** How many equal entries per minute are written; 0: all. */
  limit = 0;

  /** @param write writes an entry. `note` is appended to its text: ` (12 more times in 60 s)`, or nothing. */
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

  /** Writes the counts and resets them. */
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

  /** Ends runs older than one minute. */
  #settle(): void {
    this.#timer = undefined;
    const now = performance.now();
    for (const [key, run] of [...this.#runs]) {
      if (run.begin + minute > now) break;
      this.#end(key);
      // The repetition continues: writing the first few again beside the count would add nothing.
      if (run.repeats > this.limit) this.#begin(key, run.draft, this.limit);
    }
    this.#wake();
  }

  /** Sets the timer to the end of the oldest run's minute. */
  #wake(): void {
    const [oldest] = this.#runs.values();
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (!oldest) return;
    const left = Math.max(0, oldest.begin + minute - performance.now());
    // The timer must not keep the process alive; `flush` is called at its end.
    this.#timer = setTimeout(() => this.#settle(), left).unref();
  }
}

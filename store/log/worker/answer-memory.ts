import { collector } from '../../base/collector.ts';

/** After so many questions, what their answers held is freed. */
const questionsBetween = 16;
/** What a minor collection leaves, because it was in use during one before, is freed by each of so many. */
const minorBetweenFull = 31;

/**
 * Frees what DuckDB's answers hold. The rows that were read from one keep its vectors of 2,048 rows each (200 KB for a page with
 * five columns) until V8 collects the few bytes that stand for them in JavaScript: DuckDB's binding has no other way to free
 * them. V8 does not know how large they are, and this thread has so little garbage of its own that it would wait for minutes.
 */
export class AnswerMemory {
  readonly #collect = collector();
  #questions = 0;
  #minor = 0;

  /** Called after each question. */
  answered(): void {
    this.#questions += 1;
    if (this.#questions >= questionsBetween) this.free();
  }

  /** Takes a few milliseconds, now and then 30. */
  free(): void {
    this.#questions = 0;
    const isFull = this.#minor >= minorBetweenFull;
    this.#minor = isFull ? 0 : this.#minor + 1;
    if (isFull) this.#collect();
    else this.#collect({ type: 'minor' });
  }
}

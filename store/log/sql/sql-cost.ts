import { invalidStatement } from '../../base/store-error.ts';

/**
 * The time limit of one row of a statement. DuckDB interrupts a statement only between two vectors of 2048 rows, so the cost
 * of a single row must be bounded in advance: a pattern with many wildcards over a long text runs for years.
 */

/** Assumed length of a column's text; few are longer. */
const columnLength = 200;
const longestPattern = 200;
/** Steps of comparison for one row; a billion of them take about 3 s. */
const mostSteps = 500_000;
/** Characters of output per character of a format: `%c` is a date with its time. */
const formatGrowth = 16;
/** Cost of a class such as `\pL` in a regular expression: the number of its ranges. */
const unicodeClass = 300;

/** Functions whose second argument is the pattern. */
const likes = new Set('~~ !~~'.split(' '));
const slowLikes = new Set('~~* !~~* like_escape not_like_escape ilike_escape not_ilike_escape'.split(' '));
const glob = '~~~';
const expressions = new Set('regexp_matches regexp_full_match regexp_extract'.split(' '));
/** Functions that search for one text in another. */
const finders = new Set('contains instr strpos position split_part'.split(' '));
/** Functions whose result may be as long as all their arguments together. */
const joiners = new Set('|| concat concat_ws list_value'.split(' '));
const joinLimit = 10;
/** Functions that make a list when they have more than so many arguments: of the n greatest values. */
const listing = new Map([
  ...['min', 'max'].map((name) => [name, 1] as const),
  ...['min_by', 'max_by', 'arg_min', 'arg_max'].map((name) => [name, 2] as const),
]);

type Node = Readonly<Record<string, unknown>>;

/** Adds up the cost of the functions of one statement. */
export class SqlCost {
  #joined = 0;
  #growth = 1;
  #longestLiteral = 0;
  /** Steps per row, from the length of the texts. */
  readonly #steps: ((length: number) => number)[] = [];

  addLiteral(value: unknown): void {
    if (typeof value === 'string') this.#longestLiteral = Math.max(this.#longestLiteral, value.length);
  }

  /**
   * @param name in lower case
   * @throws {StoreError} `invalid` if a pattern is no literal or is too long, or if too many texts are joined.
   */
  addFunction(name: string, children: readonly Node[]): void {
    // The whole list of each row's greatest texts is outside of what DuckDB's memory limit counts.
    if (listing.has(name) && children.length > (listing.get(name) ?? 0)) refuse(`${name} of several values`);
    if (joiners.has(name)) {
      this.#joined += children.length;
      this.#growth *= Math.max(1, children.length);
      if (this.#joined > joinLimit) refuse(`joining more than ${joinLimit} texts`);
    } else if (name === 'strftime') this.#growth *= formatGrowth;
    else if (finders.has(name)) this.#steps.push((length) => length ** 2 / 200);
    else if (likes.has(name)) this.#addLike(patternOf(children), false);
    else if (slowLikes.has(name)) this.#addLike(patternOf(children), true);
    else if (name === glob) this.#addBacktracking(patternOf(children).split(/\*+/));
    else if (expressions.has(name)) this.#addExpression(patternOf(children));
  }

  /** @throws {StoreError} `invalid` if a row takes too long. */
  check(): void {
    const length = Math.max(this.#longestLiteral, columnLength) * this.#growth;
    const steps = this.#steps.reduce((sum, step) => sum + step(length), 0);
    if (steps <= mostSteps) return;
    const hint =
      'use fewer wildcards (LIKE without _, over lower(…) for example, may have many) or shorter texts';
    throw invalidStatement(`its patterns would take too long: ${hint}`);
  }

  /** DuckDB is fast for patterns with `%` as the only wildcard. */
  #addLike(pattern: string, slow: boolean): void {
    if (slow || pattern.includes('_')) this.#addBacktracking(pattern.split(/%+/));
    else this.#steps.push((length) => (length * pattern.length) / 10);
  }

  /** After each wildcard, the rest is tried at every position of the text; a wildcard at the end matches at once. */
  #addBacktracking(parts: readonly string[]): void {
    const loops = parts.slice(1).filter((part, index) => part !== '' || index < parts.length - 2).length;
    const longest = Math.max(1, ...parts.map((part) => part.length));
    this.#steps.push((length) => length ** loops * longest);
  }

  /** Linear in the text, but with a state for every counted repetition. */
  #addExpression(pattern: string): void {
    let states = pattern.length + (pattern.match(/\\p/gi)?.length ?? 0) * unicodeClass;
    for (const [, least = '', most = ''] of pattern.matchAll(/\{(\d+)(?:,(\d*))?\}/g)) {
      states *= Math.max(1, Number(least), Number(most));
    }
    this.#steps.push((length) => length * states);
  }
}

/** The literal pattern in the second argument. */
function patternOf(children: readonly Node[]): string {
  const { class: kind, value } = children[1] ?? {};
  const pattern = kind === 'CONSTANT' ? (value as { value?: unknown }).value : undefined;
  if (typeof pattern !== 'string') refuse('a pattern that is not written out as one text');
  if (pattern.length > longestPattern) refuse(`a pattern of more than ${longestPattern} characters`);
  return pattern;
}

function refuse(what: string): never {
  throw invalidStatement(`${what} cannot be used here`);
}

import { invalidStatement } from '../../base/store-error.ts';

/**
 * The size of a statement as DuckDB plans it. A common table expression is planned once for each place that names it, so a
 * statement of a few lines can have a million tables or columns; planning cannot be interrupted.
 */

const mostTables = 24;
/** Stars in one list of columns multiply the columns, and those of the next expression multiply them again. */
const mostStars = 8;

/** The visible common table expressions, by name in lower case, with the tables that each takes. */
export type Scope = ReadonlyMap<string, number>;

/** Adds up the tables of one statement, and multiplies its stars. */
export class SqlSize {
  #tables = 0;
  #stars = 1;

  /** @param taken the tables of a common table expression; undefined for a view. */
  addTable(taken = 1): void {
    this.#tables += taken;
  }

  /** @param list the expressions that a query selects. */
  addColumns(list: readonly Readonly<Record<string, unknown>>[]): void {
    this.#stars *= Math.max(1, list.filter((expression) => expression['class'] === 'STAR').length);
  }

  /** @returns the tables of a part that counts where it is named only; at least 1. */
  ofPart(visit: () => void): number {
    const before = this.#tables;
    visit();
    const taken = this.#tables - before;
    this.#tables = before;
    return Math.max(1, taken);
  }

  /** @throws {StoreError} `invalid` */
  check(): void {
    if (this.#tables > mostTables) {
      refuse(`more than ${mostTables} tables, counted as often as they are used,`);
    }
    if (this.#stars > mostStars) refuse('so many columns (SELECT *, *)');
  }
}

function refuse(what: string): never {
  throw invalidStatement(`${what} cannot be used here`);
}

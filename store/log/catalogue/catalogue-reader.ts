import { BIGINT, type DuckDBConnection, type DuckDBType, type DuckDBValue, VARCHAR } from '@duckdb/node-api';
import { Mutex } from '../../../bus/base/mutex.ts';

/** Something that answers questions from the catalogue, one at a time, on a connection of its own. */
export abstract class CatalogueReader {
  readonly #connection: DuckDBConnection;
  readonly #turns = new Mutex();

  constructor(connection: DuckDBConnection) {
    this.#connection = connection;
  }

  /** Ends it after the questions that were asked before. Safe to call twice. */
  close(): Promise<void> {
    return this.#turns.close(() => this.#connection.closeSync());
  }

  protected inTurn<T>(task: () => Promise<T>): Promise<T> {
    return this.#turns.runExclusive(task);
  }

  /** @param types of the values; by default whole numbers and texts. */
  protected async rows(
    sql: string,
    values: DuckDBValue[] = [],
    types: DuckDBType[] = values.map((value) => (typeof value === 'bigint' ? BIGINT : VARCHAR)),
  ): Promise<DuckDBValue[][]> {
    return (await this.#connection.runAndReadAll(sql, values, types)).getRows();
  }
}

import type { DuckDBConnection } from '@duckdb/node-api';

/** They leave some 15,000 notes. */
const questionsBetween = 500;

/** To be executed before the configuration is locked. */
export const unlockBuffers = "SET allowed_configs = ['memory_limit'];";

/**
 * Ends what DuckDB keeps of buffers that are gone. Each table of a join or of groups, and each sort, leaves notes of 180 bytes in the lists
 * of what could be written to disk if memory became short: 30 for a usual question. Only in a list of 32,768 does DuckDB
 * look for those that are of no use, and it has eight lists: 30 MB, and hours until they are level.
 */
export class BufferList {
  readonly #connection: DuckDBConnection;
  readonly #memoryLimit: string;
  #questions = 0;
  #freeing: Promise<void> | undefined;

  /**
   * @param connection of its own, which is closed with it: a statement that fails ends the transaction of its connection.
   * @param memoryLimit what DuckDB may use, `256MB`.
   */
  constructor(connection: DuckDBConnection, memoryLimit: string) {
    this.#connection = connection;
    this.#memoryLimit = memoryLimit;
  }

  /** Called after each question. */
  answered(): void {
    this.#questions += 1;
    if (this.#questions >= questionsBetween) void this.free();
  }

  /**
   * Takes some milliseconds. Blocks of the file are read again when they are needed next, and rows that no checkpoint has
   * written yet are written to DuckDB's temporary file.
   */
  free(): Promise<void> {
    this.#questions = 0;
    this.#freeing ??= this.#free().finally(() => {
      this.#freeing = undefined;
    });
    return this.#freeing;
  }

  async close(): Promise<void> {
    await this.#freeing;
    this.#connection.closeSync();
  }

  async #free(): Promise<void> {
    // DuckDB looks for memory in all lists, finds too little, refuses the limit and goes on with the one that it had, though
    // `current_setting` is 1 byte until the next line.
    await this.#connection.run("SET memory_limit = '1B'").catch(() => {});
    await this.#connection.run(`SET memory_limit = '${this.#memoryLimit}'`).catch(() => {});
  }
}

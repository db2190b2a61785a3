import { setTimeout as sleep } from 'node:timers/promises';
import type { DuckDBConnection } from '@duckdb/node-api';

/** They leave some 15,000 notes. */
const questionsBetween = 500;

/** DuckDB looks through all lists, and then refuses it, or takes it where nothing is in use. */
const leastLimit = '1B';
const [attempts, pauseMs] = [10, 20];
/**
 * Bytes, as DuckDB makes a new file. What it writes of other blocks to its temporary file it counts wrongly (1.5.6): once memory was
 * given up some 100 times, it says at times that there is none for anybody.
 */
const usualBlockSize = 262_144n;

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
  readonly #alone: (task: () => Promise<void>) => Promise<void>;
  #questions = 0;
  #freeing: Promise<void> | undefined;
  #hasUsualBlocks: boolean | undefined;

  /**
   * @param connection of its own, which is closed with it: a statement that fails ends the transaction of its connection.
   * @param memoryLimit what DuckDB may use, `256MB`.
   * @param alone runs a task while no other statement runs: one could not have the memory that it needs.
   */
  constructor(
    connection: DuckDBConnection,
    memoryLimit: string,
    alone: (task: () => Promise<void>) => Promise<void>,
  ) {
    this.#connection = connection;
    this.#memoryLimit = memoryLimit;
    this.#alone = alone;
  }

  /** Called after each question. */
  answered(): void {
    this.#questions += 1;
    if (this.#questions >= questionsBetween) void this.free();
  }

  /**
   * Takes some milliseconds. Blocks of the file are read again when they are needed next, and rows that no checkpoint has
   * written yet are written to DuckDB's temporary file. Nothing is done for a file with blocks of another size.
   */
  free(): Promise<void> {
    this.#questions = 0;
    // It cannot be alone any more when the file is being closed.
    this.#freeing ??= this.#alone(() => this.#free())
      .catch(() => {})
      .finally(() => {
        this.#freeing = undefined;
      });
    return this.#freeing;
  }

  async close(): Promise<void> {
    await this.#freeing;
    this.#connection.closeSync();
  }

  async #free(): Promise<void> {
    this.#hasUsualBlocks ??= (await this.#blockSize()) === usualBlockSize;
    if (!this.#hasUsualBlocks) return;
    await this.#connection.run(`SET memory_limit = '${leastLimit}'`).catch(() => {});
    for (let attempt = 1; attempt <= attempts; attempt += 1) {
      const isSet = this.#connection.run(`SET memory_limit = '${this.#memoryLimit}'`).then(
        () => true,
        () => false,
      );
      if (await isSet) return;
      await sleep(attempt * pauseMs);
    }
  }

  async #blockSize(): Promise<unknown> {
    const found = await this.#connection.runAndReadAll('SELECT block_size FROM pragma_database_size()');
    return found.getRows()[0]?.[0];
  }
}

import type { DuckDBConnection } from '@duckdb/node-api';
import type { Mutex } from '../../../bus/base/mutex.ts';
import type { LogRetention } from './log-retention.ts';

/**
 * Brings the file up to date so that another program can copy it. DuckDB changes what a checkpoint refers to only at the
 * next checkpoint, so a copy is whole if there was none meanwhile. A hold makes sure of that: nothing is written then.
 */
export class FileHold {
  readonly #writer: DuckDBConnection;
  readonly #writes: Mutex;
  readonly #retention: LogRetention;
  #end: (() => void) | undefined;
  #timer: NodeJS.Timeout | undefined;

  /** @param writes of everything that is written, except by the retention. */
  constructor(writer: DuckDBConnection, writes: Mutex, retention: LogRetention) {
    this.#writer = writer;
    this.#writes = writes;
    this.#retention = retention;
  }

  get isHeld(): boolean {
    return this.#end !== undefined;
  }

  /**
   * Writes everything that was committed to the file itself.
   *
   * @param holdMs milliseconds for which the file then stays as it is; a hold that lasts already is prolonged, or ended by 0.
   */
  async checkpoint(holdMs: number): Promise<void> {
    if (this.#end) {
      if (holdMs === 0) this.release();
      else this.#prolong(holdMs);
      return;
    }
    await new Promise<void>((resolve, reject) => {
      const run = async () => {
        await this.#writer.run('CHECKPOINT');
        resolve();
        if (holdMs > 0) await this.#hold(holdMs);
      };
      this.#retention.pauseFor(() => this.#writes.runExclusive(run)).catch(reject);
    });
  }

  release(): void {
    clearTimeout(this.#timer);
    this.#end?.();
    this.#end = undefined;
  }

  #hold(holdMs: number): Promise<void> {
    const ended = new Promise<void>((resolve) => {
      this.#end = resolve;
    });
    this.#prolong(holdMs);
    return ended;
  }

  #prolong(holdMs: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.release(), holdMs);
  }
}

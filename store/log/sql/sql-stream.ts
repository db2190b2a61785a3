import type { DuckDBConnection, DuckDBResult } from '@duckdb/node-api';
import { Mutex } from '../../../bus/base/mutex.ts';
import { StoreError } from '../../base/store-error.ts';
import type { LogDownload } from '../export/log-downloads.ts';
import { sqlEncoder } from './sql-encoding.ts';
import type { SqlEncoder, SqlFormat } from './sql-format.ts';
import { invalid, SqlStatement } from './sql-statement.ts';

const limits = { rows: 10_000_000, seconds: 120, open: 2 };

/** Users' statements whose results are streamed. Each has a connection of its own. */
export class SqlStreams {
  readonly #connect: () => Promise<DuckDBConnection>;
  readonly #open = new Set<SqlStream>();
  #opening = 0;
  #closed = false;

  constructor(connect: () => Promise<DuckDBConnection>) {
    this.#connect = connect;
  }

  /**
   * Starts a statement.
   *
   * @throws {StoreError} `invalid` if the statement is refused, or wrong; `busy` if too many are running.
   */
  async open(sql: string, format: SqlFormat, signal: AbortSignal): Promise<LogDownload> {
    if (this.#closed || this.#open.size + this.#opening >= limits.open) {
      throw new StoreError('busy', `${limits.open} answers are being read; try again`);
    }
    let stream: SqlStream;
    this.#opening += 1;
    try {
      stream = new SqlStream(await this.#connect(), format, () => this.#open.delete(stream));
      this.#open.add(stream);
    } finally {
      this.#opening -= 1;
    }
    await stream.begin(sql, signal);
    return stream;
  }

  /** Ends the running statements. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#open].map((stream) => stream.close()));
  }
}

class SqlStream implements LogDownload {
  readonly #connection: DuckDBConnection;
  readonly #statement: SqlStatement;
  readonly #format: SqlFormat;
  readonly #turns = new Mutex();
  readonly #ended: () => void;
  /** Ends the statement of a client that stops reading, to free its memory and connection. */
  readonly #timer: NodeJS.Timeout;
  #result: DuckDBResult | undefined;
  #encoder: SqlEncoder | undefined;
  #rows = 0;
  #over = false;

  constructor(connection: DuckDBConnection, format: SqlFormat, ended: () => void) {
    this.#connection = connection;
    this.#format = format;
    this.#ended = ended;
    this.#statement = new SqlStatement(connection, limits.seconds);
    this.#timer = setTimeout(() => void this.close(), limits.seconds * 1000);
  }

  async begin(sql: string, signal: AbortSignal): Promise<void> {
    try {
      await this.#turns.runExclusive(async () => {
        this.#result = await this.#statement.begin(sql, signal);
        this.#encoder = sqlEncoder(this.#format, this.#result);
      });
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  next(signal: AbortSignal): Promise<Uint8Array<ArrayBuffer> | undefined> {
    return this.#turns.runExclusive(async () => {
      const [result, encoder] = [this.#result, this.#encoder];
      if (this.#over || !result || !encoder) return undefined;
      const chunk = await this.#statement.step(signal, () => result.fetchChunk());
      if (!chunk || chunk.rowCount === 0) {
        this.#over = true;
        return encoder.end();
      }
      this.#rows += chunk.rowCount;
      if (this.#rows > limits.rows) throw invalid(`the answer has more than ${limits.rows} rows`);
      return encoder.encode(chunk);
    });
  }

  /** Ends the statement at any step. */
  async close(): Promise<void> {
    clearTimeout(this.#timer);
    this.#statement.close();
    await this.#turns.close(() => this.#connection.closeSync());
    this.#ended();
  }
}

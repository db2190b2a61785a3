import type { DuckDBConnection } from '@duckdb/node-api';

/** The tables of one machine, of which the oldest rows go. */
export interface RetainedTables {
  readonly schema: string;
  /** The writing connection. */
  readonly writer: DuckDBConnection;
  /** A connection of the retention's own. */
  readonly keeper: DuckDBConnection;
  /** Removes derived data about log entries older than this, before they are deleted. */
  readonly forget: (before: number) => Promise<void>;
  /** Removes derived data about log entries newer than this, before they are moved, or others get such times. */
  readonly forgetAfter: (time: number) => Promise<void>;
}

import type { DuckDBDataChunk } from '@duckdb/node-api';

/** The forms in which a statement's answer leaves, piece by piece. */

export const sqlFormats = ['csv', 'arrow'] as const;
export type SqlFormat = (typeof sqlFormats)[number];

/** Makes one answer's bytes. */
export interface SqlEncoder {
  /** What stands before the first row is part of the first piece, or of the end. */
  encode(chunk: DuckDBDataChunk): Uint8Array<ArrayBuffer>;
  end(): Uint8Array<ArrayBuffer>;
}

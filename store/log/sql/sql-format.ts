import type { DuckDBDataChunk } from '@duckdb/node-api';

/** The formats of a statement's result, encoded in chunks. */

export const sqlFormats = ['csv', 'arrow'] as const;
export type SqlFormat = (typeof sqlFormats)[number];

/** Encodes one result. */
export interface SqlEncoder {
  /** A header is part of the first chunk, or of the end if there are no rows. */
  encode(chunk: DuckDBDataChunk): Uint8Array<ArrayBuffer>;
  end(): Uint8Array<ArrayBuffer>;
}

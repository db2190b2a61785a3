import type { DuckDBResult } from '@duckdb/node-api';
import { csvLine } from '../export/csv.ts';
import { arrowEncoder } from './sql-arrow.ts';
import type { SqlEncoder, SqlFormat } from './sql-format.ts';

export function sqlEncoder(format: SqlFormat, result: DuckDBResult): SqlEncoder {
  return format === 'csv' ? csvEncoder(result.columnNames()) : arrowEncoder(result);
}

function csvEncoder(names: readonly string[]): SqlEncoder {
  const bytes = new TextEncoder();
  let head = csvLine(names);
  const take = (text: string) => {
    const piece = bytes.encode(head + text);
    head = '';
    return piece;
  };
  return {
    encode: (chunk) => take(chunk.getRows().map(csvLine).join('')),
    end: () => take(''),
  };
}

import type { DuckDBResult, DuckDBValue } from '@duckdb/node-api';
import { arrowEncoder } from './sql-arrow.ts';
import type { SqlEncoder, SqlFormat } from './sql-format.ts';

export function sqlEncoder(format: SqlFormat, result: DuckDBResult): SqlEncoder {
  return format === 'csv' ? csvEncoder(result.columnNames()) : arrowEncoder(result);
}

/** [RFC 4180] Nothing between the commas is null, two quotes are an empty text. */
function csvEncoder(names: readonly string[]): SqlEncoder {
  const bytes = new TextEncoder();
  const quoted = (value: DuckDBValue) => {
    if (value === null) return '';
    const text = String(value);
    return text === '' || /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  const line = (values: readonly DuckDBValue[]) => `${values.map(quoted).join()}\r\n`;
  let head = line(names);
  const take = (text: string) => {
    const piece = bytes.encode(head + text);
    head = '';
    return piece;
  };
  return {
    encode: (chunk) => take(chunk.getRows().map(line).join('')),
    end: () => take(''),
  };
}

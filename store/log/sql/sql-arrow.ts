import {
  type DuckDBDateValue,
  type DuckDBDecimalType,
  type DuckDBDecimalValue,
  type DuckDBResult,
  type DuckDBTimestampTZValue,
  type DuckDBTimestampValue,
  DuckDBTypeId,
  type DuckDBValue,
} from '@duckdb/node-api';
import {
  bool,
  Column,
  columnFromArray,
  type DataType,
  dateDay,
  decimal,
  float32,
  float64,
  int8,
  int16,
  int32,
  int64,
  TimeUnit,
  tableFromColumns,
  tableToIPC,
  timestamp,
  uint8,
  uint16,
  uint32,
  uint64,
  utf8,
} from '@uwdata/flechette';

import type { SqlEncoder } from './sql-format.ts';

/** Encoding of a column as an Arrow array: the values are packed as `packed`, and the array is declared as `type`. */
interface ArrowColumn {
  readonly packed: DataType;
  readonly type: DataType;
  value(value: DuckDBValue): unknown;
}

/** Size of the end-of-stream marker, in bytes. */
const endMark = 8;

/**
 * [Arrow IPC streaming format] The schema message, one message per chunk, and the end-of-stream marker. The library only
 * makes whole streams, so the schema message or the marker of each is left out.
 */
export function arrowEncoder(result: DuckDBResult): SqlEncoder {
  // Readers identify columns by name.
  const names = result.deduplicatedColumnNames();
  const columns = names.map((_, index) => arrowColumn(index, result));
  const stream = (values: readonly (readonly DuckDBValue[])[]) => {
    const arrays = columns.map(({ packed, type, value }, index): [string, Column<unknown>] => {
      const plain = (values[index] ?? []).map((one) => (one === null ? null : value(one)));
      return [names[index] ?? '', new Column([...columnFromArray(plain, packed).data], type)];
    });
    return tableToIPC(tableFromColumns(arrays), { format: 'stream' }) as Uint8Array<ArrayBuffer>;
  };
  const empty = stream([]);
  let begun = false;
  const start = () => {
    const from = begun ? empty.length - endMark : 0;
    begun = true;
    return from;
  };
  return {
    encode: (chunk) => stream(chunk.getColumns()).slice(start(), -endMark),
    end: () => empty.slice(start()),
  };
}

/** Converts a value of DuckDB's binding for the Arrow library. */
const plain = new Map<DuckDBTypeId, DataType>([
  [DuckDBTypeId.BOOLEAN, bool()],
  [DuckDBTypeId.TINYINT, int8()],
  [DuckDBTypeId.SMALLINT, int16()],
  [DuckDBTypeId.INTEGER, int32()],
  [DuckDBTypeId.BIGINT, int64()],
  [DuckDBTypeId.UTINYINT, uint8()],
  [DuckDBTypeId.USMALLINT, uint16()],
  [DuckDBTypeId.UINTEGER, uint32()],
  [DuckDBTypeId.UBIGINT, uint64()],
  // The type of sums of integers.
  [DuckDBTypeId.HUGEINT, decimal(38, 0)],
  [DuckDBTypeId.FLOAT, float32()],
  [DuckDBTypeId.DOUBLE, float64()],
]);

function arrowColumn(index: number, result: DuckDBResult): ArrowColumn {
  const id = result.columnTypeId(index);
  const direct = plain.get(id);
  if (direct) return { packed: direct, type: direct, value: (value) => value };
  switch (id) {
    case DuckDBTypeId.DECIMAL: {
      const { width, scale } = result.columnType(index) as DuckDBDecimalType;
      const type = decimal(width, scale);
      return { packed: type, type, value: (value) => (value as DuckDBDecimalValue).value };
    }
    // The library would convert through JavaScript's dates, which have milliseconds only.
    case DuckDBTypeId.DATE:
      return { packed: int32(), type: dateDay(), value: (value) => (value as DuckDBDateValue).days };
    case DuckDBTypeId.TIMESTAMP:
    case DuckDBTypeId.TIMESTAMP_TZ: {
      const zone = id === DuckDBTypeId.TIMESTAMP_TZ ? 'UTC' : null;
      const value = (one: DuckDBValue) => (one as DuckDBTimestampValue | DuckDBTimestampTZValue).micros;
      return { packed: int64(), type: timestamp(TimeUnit.MICROSECOND, zone), value };
    }
    default:
      return { packed: utf8(), type: utf8(), value: String };
  }
}

import { ByteWriter, ParquetWriter } from 'hyparquet-writer';
import type { MachineEntry } from '../read/log-filter.ts';
import { csvLine } from './csv.ts';
import type { ExportFormat } from './export-format.ts';

/** Encodes one export, in chunks. */
export interface ExportEncoder {
  /** A header may be part of the first chunk. */
  encode(entries: readonly MachineEntry[]): Uint8Array<ArrayBuffer>;
  end(): Uint8Array<ArrayBuffer>;
}

const columns = ['time', 'level', 'src', 'monitorID', 'msg', 'machine'] as const;
const utf8 = new TextEncoder();

export function exportEncoder(format: ExportFormat): ExportEncoder {
  if (format === 'parquet') return parquetEncoder();
  return format === 'csv' ? csvEncoder() : ndjsonEncoder();
}

/** No field of an entry is ever null, so one that is empty needs no quotes. */
function csvEncoder(): ExportEncoder {
  let head = csvLine(columns);
  const take = (text: string) => {
    const bytes = utf8.encode(head + text);
    head = '';
    return bytes;
  };
  const line = (entry: MachineEntry) =>
    csvLine(columns.map((name) => (entry[name] === '' ? null : entry[name])));
  return {
    encode: (entries) => take(entries.map(line).join('')),
    end: () => take(''),
  };
}

function ndjsonEncoder(): ExportEncoder {
  return {
    encode: (entries) => utf8.encode(entries.map((entry) => `${JSON.stringify(entry)}\n`).join('')),
    end: () => new Uint8Array(),
  };
}

/** One row group per chunk; only the positions of the groups are kept until the end. */
function parquetEncoder(): ExportEncoder {
  const writer = new ByteWriter();
  const text = (name: string) =>
    ({
      name,
      type: 'BYTE_ARRAY',
      repetition_type: 'REQUIRED',
      converted_type: 'UTF8',
      logical_type: { type: 'STRING' },
    }) as const;
  const [time, ...texts] = columns;
  const parquet = new ParquetWriter({
    writer,
    schema: [
      { name: 'root', num_children: columns.length },
      { name: time, type: 'INT64', repetition_type: 'REQUIRED' },
      ...texts.map(text),
    ],
    createdBy: 'sentrybus',
  });
  const take = () => {
    const bytes = new Uint8Array(writer.buffer.slice(0, writer.index));
    // `offset` is the position in the whole file and continues.
    writer.index = 0;
    return bytes;
  };
  return {
    encode(entries) {
      void parquet.write({
        columnData: columns.map((name) => ({
          name,
          data: entries.map((entry) => (name === 'time' ? BigInt(entry.time) : entry[name])),
          offsetIndex: false,
        })),
        rowGroupSize: Math.max(1, entries.length),
      });
      return take();
    },
    end() {
      void parquet.finish();
      return take();
    },
  };
}

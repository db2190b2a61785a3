import { writeFile } from 'node:fs/promises';
import { request } from 'node:https';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { beforeAll, describe, expect, test } from 'vitest';
import type { LogEntry } from '../../../bus/messages.ts';
import { admin, authorization, type FrontDoor, openFrontDoor } from '../../support/http-server.ts';

const odd = ['plain', 'with "quotes", commas', 'two\r\nlines', '', '=1+1', 'Straße 🚗', 'x'.repeat(4096)];
/** More than two pages. */
const count = 21_000;

let door: FrontDoor;
let entries: LogEntry[];
beforeAll(async () => {
  door = await openFrontDoor();
  const log = door.logger.source('app');
  for (const msg of odd) log.info(msg, 'a');
  for (let from = odd.length; from < count; from += 5000) {
    for (let n = from; n < Math.min(count, from + 5000); n += 1)
      log.debug(`entry ${n}`, n % 2 === 0 ? 'a' : '');
    await door.logger.flush(30_000);
  }
  const pages: LogEntry[] = [];
  for (let time = Number.MAX_SAFE_INTEGER; ; time = pages.at(-1)?.time ?? 0) {
    const page = (await (
      await door.fetch(`/api/log/query?sources=app&limit=10000&time=${time}`)
    ).json()) as LogEntry[];
    if (page.length === 0) break;
    pages.push(...page);
  }
  entries = pages.reverse();
});

const rowOf = ({ time, level, src, monitorID, msg }: LogEntry) => [String(time), level, src, monitorID, msg];

/** What DuckDB reads from a file, as texts. */
async function readBack(bytes: Uint8Array, name: string, reader: string): Promise<unknown[][]> {
  const file = join(door.folder, name);
  await writeFile(file, bytes);
  const instance = await DuckDBInstance.create();
  const connection = await instance.connect();
  const found = await connection.runAndReadAll(
    `SELECT time::VARCHAR, level, src, coalesce(monitorID, ''), msg FROM ${reader.replace('FILE', file)}`,
  );
  const rows = found.getRows();
  connection.closeSync();
  instance.closeSync();
  return rows;
}

const download = async (query: string) => {
  const response = await door.fetch(`/api/log/export?sources=app&${query}`);
  expect(response.status).toBe(200);
  return { response, bytes: new Uint8Array(await response.arrayBuffer()) };
};

test('there are entries for several pieces', () => expect(entries.length).toBe(count));

describe.each([
  ['parquet', 'application/vnd.apache.parquet', "read_parquet('FILE')"],
  [
    'csv',
    'text/csv; charset=utf-8',
    "read_csv('FILE', header = true, all_varchar = true, quote = '\"', escape = '\"', nullstr = 'no such text', new_line = '\\r\\n')",
  ],
  ['ndjson', 'application/x-ndjson; charset=utf-8', "read_json('FILE', format = 'newline_delimited')"],
])('%s', (format, type, reader) => {
  test('holds every entry once and in order, whatever its text is', async () => {
    const { response, bytes } = await download(`format=${format}`);
    expect(response.headers.get('content-type')).toBe(type);
    expect(response.headers.get('content-disposition')).toBe(`attachment; filename="log.${format}"`);
    expect(await readBack(bytes, `whole.${format}`, reader)).toEqual(entries.map(rowOf));
  });

  test('holds what the filter lets through, also when that is nothing', async () => {
    const [start, end] = [entries[5]?.time ?? 0, entries[12_000]?.time ?? 0];
    const { bytes } = await download(`format=${format}&monitors=a&start=${start}&end=${end}&text=entry`);
    const expected = entries
      .slice(5, 12_000)
      .filter(({ monitorID, msg }) => monitorID === 'a' && msg.includes('entry'));
    expect(await readBack(bytes, `part.${format}`, reader)).toEqual(expected.map(rowOf));
    const nothing = await download(`format=${format}&text=nowhere`);
    if (format === 'ndjson') expect(nothing.bytes.length).toBe(0);
    else expect(await readBack(nothing.bytes, `none.${format}`, reader)).toEqual([]);
  });
});

test('in a parquet file the time is a whole number', async () => {
  const { bytes } = await download('format=parquet&text=entry 9');
  const file = join(door.folder, 'types.parquet');
  await writeFile(file, bytes);
  const instance = await DuckDBInstance.create();
  const connection = await instance.connect();
  const found = await connection.runAndReadAll(`SELECT column_type FROM (DESCRIBE FROM '${file}')`);
  expect(found.getRows().flat()).toEqual(['BIGINT', ...Array.from({ length: 5 }, () => 'VARCHAR')]);
  connection.closeSync();
  instance.closeSync();
});

test('a client that disconnects in the middle leaves no export file', async () => {
  for (let n = 0; n < 12; n += 1) {
    await new Promise<void>((resolve, reject) => {
      const options = { headers: authorization(admin), rejectUnauthorized: false };
      const outgoing = request(`${door.url}/api/log/export?format=ndjson`, options, (incoming) => {
        expect(incoming.statusCode).toBe(200);
        incoming.once('readable', () => incoming.destroy());
        incoming.once('close', resolve);
      });
      outgoing.on('error', reject);
      outgoing.end();
    });
    // Answered by the same thread, behind the closing of the export.
    await (await door.fetch('/api/log/query?limit=1')).json();
  }
  expect((await download('format=csv&text=nowhere')).response.status).toBe(200);
});

test.each(['', 'format=xml', 'format=csv&start=now'])('%s is refused', async (query) => {
  expect((await door.fetch(`/api/log/export?${query}`)).status).toBe(400);
});

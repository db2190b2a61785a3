import { join } from 'node:path';
import type { DuckDBConnection } from '@duckdb/node-api';
import { tableFromIPC } from '@uwdata/flechette';
import { beforeAll, describe, expect, test } from 'vitest';
import type { LogEntry } from '../../../../bus/messages.ts';
import type { SqlFormat } from '../../../../store/log/sql/sql-format.ts';
import { SqlStream } from '../../../../store/log/sql/sql-stream.ts';
import { LogDatabase } from '../../../../store/log/worker/log-database.ts';
import { atEnd } from '../../../support/cleanup.ts';
import { temporaryFolder } from '../../../support/folder.ts';
import { openSnapshot } from '../../../support/statements.ts';

const start = Date.parse('2026-11-23T03:40:12Z') * 1000;
const count = 30_000;

let connect: () => Promise<DuckDBConnection>;
beforeAll(async () => {
  const file = join(await temporaryFolder(), 'log.duckdb');
  const { database } = await LogDatabase.open(file);
  atEnd(() => database.close());
  const entries = Array.from(
    { length: count },
    (_, n): LogEntry => ({ level: 'info', time: start + n, msg: `entry ${n}`, src: 'app', monitorID: '' }),
  );
  await database.writer.append(entries, { identity: 's', sequence: 1, time: 1, readAt: 1 });
  ({ connect } = await openSnapshot({ file, database }));
});

async function pieces(sql: string, format: SqlFormat): Promise<Uint8Array[]> {
  const stream = await SqlStream.open(await connect(), sql, format);
  const found: Uint8Array[] = [];
  for (let isLast = false; !isLast; ) {
    const next = await stream.next();
    if (next.piece.length > 0) found.push(next.piece);
    ({ isLast } = next);
  }
  return found;
}

const csv = async (sql: string) => Buffer.concat(await pieces(sql, 'csv')).toString();
const arrow = async (sql: string) =>
  tableFromIPC(Buffer.concat(await pieces(sql, 'arrow')), { useBigInt: true });

describe('as CSV', () => {
  test('a null is nothing, an empty text two quotes, and what needs quotes has them', async () => {
    const sql = `select null as "a,b", '' as b, 'x"y' as c, 'l' as "say ""hi""", true as d, 1.50::decimal(4,2) as e`;
    expect(await csv(sql)).toBe('"a,b",b,c,"say ""hi""",d,e\r\n,"","x""y",l,true,1.50\r\n');
  });

  test('an answer of any length leaves in pieces, whole and in order', async () => {
    const found = await pieces('select time, msg from logs order by time', 'csv');
    expect(found.length).toBeGreaterThan(5);
    const rows = Array.from({ length: count }, (_, n) => `${start + n},entry ${n}\r\n`);
    expect(Buffer.concat(found).toString()).toBe(`time,msg\r\n${rows.join('')}`);
  });

  test('an answer without rows has its head', async () => {
    expect(await csv('select time, msg from logs where false')).toBe('time,msg\r\n');
  });
});

describe('as an Arrow stream', () => {
  test('every type is what it is, and nulls are nulls', async () => {
    const found = await arrow(`
      select * from (values (
        true, 1::tinyint, -2::smallint, 3::integer, 9007199254740993, 4::utinyint, 5::usmallint, 6::uinteger,
        18446744073709551615::ubigint, 1.5::float, 2.5::double, 12.34::decimal(6, 2), 'Straße 🚗', date '2026-11-23',
        make_timestamp(1795405212123457), to_timestamp(1.5), time '01:02:03', interval 2 days, -5::hugeint))
      union all select null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null`);
    const values = found.toColumns();
    const rows = Object.values(values).map((column) => [...(column as Iterable<unknown>)]);
    expect(rows.map(([first]) => first)).toEqual([
      ...[true, 1, -2, 3, 9007199254740993n, 4, 5, 6, 18446744073709551615n, 1.5, 2.5, 12.34, 'Straße 🚗'],
      ...[Date.UTC(2026, 10, 23), 1795405212123.457, 1500, '01:02:03', '2 days', -5],
    ]);
    expect(rows.every(([, second]) => second === null)).toBe(true);
  });

  test('an answer of any length leaves in pieces, whole and in order', async () => {
    const found = await pieces('select time, msg from logs order by time', 'arrow');
    expect(found.length).toBeGreaterThan(5);
    const read = tableFromIPC(Buffer.concat(found));
    // The columns are told once, at the beginning, whether or not this reader minds.
    const [schema = Buffer.alloc(0)] = await pieces('select time, msg from logs where false', 'arrow');
    const head = Buffer.from(schema).subarray(0, -8);
    expect([Buffer.concat(found).indexOf(head), Buffer.concat(found).lastIndexOf(head)]).toEqual([0, 0]);
    expect([...read.getChild('msg')]).toEqual(Array.from({ length: count }, (_, n) => `entry ${n}`));
    expect([...read.getChild('time')]).toEqual(Array.from({ length: count }, (_, n) => start + n));
  });

  test('an answer without rows has its columns, and columns of one name get names of their own', async () => {
    const none = await arrow('select time, msg from logs where false');
    expect([none.names, none.numRows]).toEqual([['time', 'msg'], 0]);
    expect(new Set((await arrow('select time, time from logs limit 1')).names).size).toBe(2);
  });
});

test.each([
  ['select * from log', 'unknown table "log"; available: logs, events'],
  ['selec', 'syntax error'],
  ['select 1; select 2', 'more or less than one'],
  ['select msg::integer from logs', 'Could not convert'],
])('a statement that is read piece by piece is refused as any other: %s', async (sql, reason) => {
  const asked = pieces(sql, 'csv');
  await expect(asked).rejects.toMatchObject({ name: 'StoreError', code: 'invalid', pointer: '/sql' });
  await expect(asked).rejects.toThrow(reason);
});

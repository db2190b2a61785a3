import { join } from 'node:path';
import { tableFromIPC } from '@uwdata/flechette';
import { beforeAll, describe, expect, test } from 'vitest';
import type { LogEntry } from '../../../../bus/messages.ts';
import type { LogDownload } from '../../../../store/log/export/log-downloads.ts';
import type { SqlFormat } from '../../../../store/log/sql/sql-format.ts';
import { LogDatabase } from '../../../../store/log/worker/log-database.ts';
import { atEnd } from '../../../support/cleanup.ts';
import { temporaryFolder } from '../../../support/folder.ts';

const start = Date.parse('2026-11-23T03:40:12Z') * 1000;
const count = 30_000;
const endless = "select count(*) from logs a, logs b, logs c where a.msg || b.msg || c.msg = 'x'";
const never = new AbortController().signal;

let database: LogDatabase;
beforeAll(async () => {
  ({ database } = await LogDatabase.open(join(await temporaryFolder(), 'log.duckdb')));
  atEnd(() => database.close());
  const entries = Array.from(
    { length: count },
    (_, n): LogEntry => ({ level: 'info', time: start + n, msg: `entry ${n}`, src: 'app', monitorID: '' }),
  );
  await database.writer.append(entries, { identity: 's', sequence: 1, time: 1, readAt: 1 });
});

const open = async (sql: string, format: SqlFormat, signal = never): Promise<LogDownload> => {
  const download = await database.sqlStreams.open(sql, format, signal);
  atEnd(() => download.close());
  return download;
};

async function pieces(sql: string, format: SqlFormat): Promise<Uint8Array[]> {
  const download = await open(sql, format);
  const found: Uint8Array[] = [];
  for (;;) {
    const piece = await download.next(never);
    if (!piece || piece.length === 0) break;
    found.push(piece);
  }
  await download.close();
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

describe('a statement that is read piece by piece', () => {
  test.each([
    ['select * from log', 'unknown table "log"; available: logs, events'],
    ['selec', 'syntax error'],
    ['select 1; select 2', 'more or less than one'],
    ['select msg::integer from logs', 'Could not convert'],
  ])('is refused as any other: %s', async (sql, reason) => {
    const asked = (async () => (await open(sql, 'csv')).next(never))();
    await expect(asked).rejects.toMatchObject({ name: 'StoreError', code: 'invalid', pointer: '/sql' });
    await expect(asked).rejects.toThrow(reason);
  });

  test('leaves room for one more only, which it gives back when it is closed', async () => {
    const [one, two] = [await open('select * from logs', 'csv'), await open('select * from logs', 'csv')];
    await expect(open('select 1', 'csv')).rejects.toMatchObject({ code: 'busy' });
    await one.next(never);
    await one.close();
    const three = await open('select 1 as n', 'csv');
    expect(Buffer.from((await three.next(never)) ?? []).toString()).toBe('n\r\n1\r\n');
    await Promise.all([two.close(), three.close()]);
  });

  test('is one of two, also while it has nothing to show yet', async () => {
    const client = new AbortController();
    const slow = [open(endless, 'csv', client.signal), open(endless, 'csv', client.signal)];
    for (const each of slow) each.catch(() => {});
    await expect(open('select 1', 'csv')).rejects.toMatchObject({ code: 'busy' });
    client.abort();
    for (const each of slow) await expect(each).rejects.toThrow('given up');
  });

  test('ends when its client disconnects, before the first piece and after it', async () => {
    const client = new AbortController();
    const opening = open(endless, 'csv', client.signal);
    opening.catch(() => {});
    // By then the other one is at work.
    expect(await csv('select 1 as n')).toBe('n\r\n1\r\n');
    client.abort();
    await expect(opening).rejects.toThrow('given up');

    for (const how of ['signal', 'close'] as const) {
      const other = new AbortController();
      const download = await open('select a.msg, b.msg from logs a, logs b', 'csv');
      const reading = (async () => {
        while (await download.next(other.signal));
      })();
      reading.catch(() => {});
      expect(await csv('select 1 as n')).toBe('n\r\n1\r\n');
      if (how === 'signal') other.abort();
      else await download.close();
      await expect(reading).rejects.toThrow(/given up|closed/);
      await download.close();
    }
  });

  test('sees the log as it was when it began, while entries are stored and answers given', async () => {
    const download = await open('select msg from logs', 'csv');
    await download.next(never);
    const more = { level: 'info', time: start + count, msg: 'more', src: 'app', monitorID: '' } as const;
    await database.writer.append([more], { identity: 's', sequence: 2, time: 1, readAt: 1 });
    expect((await database.pages.read({ limit: 1 }, false))[0]?.msg).toBe('more');
    expect((await database.sql.run('select count(*) from logs', never)).rows).toEqual([[count + 1]]);
    let text = '';
    for (let piece = await download.next(never); piece?.length; piece = await download.next(never))
      text += Buffer.from(piece).toString();
    expect(text).not.toContain('more');
    expect(text).toContain(`entry ${count - 1}\r\n`);
    await download.close();
  });

  test('does not keep the database from being closed', async () => {
    const { database: other } = await LogDatabase.open(join(await temporaryFolder(), 'log.duckdb'));
    const some = Array.from(
      { length: 10_000 },
      (_, n) => ({ level: 'info', time: n, msg: `entry ${n}`, src: 'app', monitorID: '' }) as const,
    );
    await other.writer.append(some, { identity: 's', sequence: 1, time: 1, readAt: 1 });
    await other.sqlStreams.open('select 1', 'csv', never);
    const opening = other.sqlStreams.open(endless, 'csv', never);
    opening.catch(() => {});
    await other.sql.run('select 1', never);
    await other.close();
    await expect(opening).rejects.toThrow('given up');
    await expect(other.sqlStreams.open('select 1', 'csv', never)).rejects.toThrow();
  });
});

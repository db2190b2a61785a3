import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import type { LogEntry } from '../../../../bus/messages.ts';
import type { SqlResult } from '../../../../store/log/sql/sql-runner.ts';
import { LogDatabase } from '../../../../store/log/worker/log-database.ts';
import { atEnd } from '../../../support/cleanup.ts';
import { temporaryFolder } from '../../../support/folder.ts';
import { openSnapshot } from '../../../support/statements.ts';

const position = { identity: 's', sequence: 1, time: 1, readAt: 1 };
const start = Date.parse('2026-11-23T03:40:12Z') * 1000;
const entry = (n: number, fields: Partial<LogEntry> = {}): LogEntry => ({
  level: n % 10 === 0 ? 'error' : 'info',
  time: start + n,
  msg: `entry ${n}`,
  src: 'app',
  monitorID: '',
  ...fields,
});

let folder: string;
let database: LogDatabase;
let ask: (sql: string) => Promise<SqlResult>;
beforeAll(async () => {
  // Far from UTC: nothing may depend on the machine's zone.
  process.env['TZ'] = 'America/New_York';
  folder = await temporaryFolder();
  const file = join(folder, 'log.duckdb');
  ({ database } = await LogDatabase.open(file));
  atEnd(() => database.close());
  ({ run: ask } = await openSnapshot({ file, database }));
  const entries = Array.from({ length: 20_000 }, (_, n) => entry(n));
  await database.writer.append(entries, position);
  const recording = { monitorID: 'door', bytes: 1, streams: [], reason: '', reportedAt: start };
  await database.recordings.append(
    [
      {
        ...recording,
        id: '2026-11-23_03-40-12_door',
        state: 'saved' as const,
        time: start,
        endTime: start + 60e6,
      },
      {
        ...recording,
        ...{
          id: '2026-11-23_03-50-00_door',
          state: 'started' as const,
          time: start + 588e6,
          endTime: start + 589e6,
        },
      },
    ],
    position,
  );
  const event = { monitorID: 'door', monitorName: 'Front door', source: 'tflite', storedAt: start + 30_000 };
  await database.writer.appendEvents(
    [
      {
        ...event,
        id: 'one',
        time: start,
        detections: [
          { label: 'person', score: 81.5, box: { x: 1, y: 2, width: 3, height: 4 }, object: 'o1' },
          { label: 'car', score: 60 },
        ],
      },
      { ...event, id: 'two', time: start + 3600e6, detections: [{ label: 'person', score: 50 }] },
    ],
    position,
  );
});

const rows = async (sql: string) => (await ask(sql)).rows;

describe('a statement', () => {
  test.each([
    ['select count(*) from logs', [[20_000]]],
    [
      "FROM logs SELECT level, count(*) WHERE src = 'app' GROUP BY ALL ORDER BY 1;",
      [
        ['error', 2000],
        ['info', 18_000],
      ],
    ],
    [
      "select msg from logs where msg like '%9999' and level in ('info', 'debug') order by time desc limit 1",
      [['entry 19999']],
    ],
    [
      'with a as (select time from logs), b as (select max(time) m from a) select m - (select min(time) from a) from b',
      [[19_999]],
    ],
    [
      'select hour(make_timestamp(time)) h, label, count(*) from events group by h, label order by h, label',
      [
        [3, 'car', 1],
        [3, 'person', 1],
        [4, 'person', 1],
      ],
    ],
    [
      'select e.label, l.msg from events e join logs l on l.time = e.time order by e.label',
      [
        ['car', 'entry 0'],
        ['person', 'entry 0'],
      ],
    ],
    ["select quantile_cont(storedAt - time, 0.5) from events where id = 'one'", [[30_000]]],
    ["select quantile_cont(storedAt - time, [0.5, 0.99]) from events where id = 'one'", [['[30000, 30000]']]],
    [
      "select strftime(make_timestamp(startTime), '%H:%M'), endTime is null from recordings order by id",
      [
        ['03:40', false],
        ['03:50', true],
      ],
    ],
    [
      "select x, y, width, height, object from events where label = 'person' order by time",
      [
        [1, 2, 3, 4, 'o1'],
        [null, null, null, null, null],
      ],
    ],
    ['select row_number() over (order by time) r from logs qualify r = 2', [[2]]],
    [
      "select case when 1 < 2 then true else null end, 1.5::double, 9223372036854775807, 'NaN'::double",
      [[true, 1.5, '9223372036854775807', 'NaN']],
    ],
    [
      "select make_timestamp(1795405212500000)::timestamptz at time zone 'Europe/Berlin', timezone('Asia/Kolkata', make_timestamp(0)::timestamptz)",
      [['2026-11-23 04:40:12.5', '1970-01-01 05:30:00']],
    ],
    [
      'select make_timestamp(epoch_us(now())) > now() - interval 1 minute, make_timestamp(epoch_us(now())) > now() + interval 1 minute',
      [[true, false]],
    ],
    ['select make_timestamp(0)::timestamptz', [['1970-01-01 00:00:00+00']]],
    [
      "select make_timestamp(0), 1::decimal(4, 2), date_trunc('day', make_timestamp(1))::date",
      [['1970-01-01 00:00:00', '1.00', '1970-01-01']],
    ],
    [
      'select level from logs union select label from events order by 1',
      [['car'], ['error'], ['info'], ['person']],
    ],
    ["select '; drop table log' -- a comment", [['; drop table log']]],
    ['values (1, 2)', [[1, 2]]],
  ])('is answered: %s', async (sql, expected) => {
    expect(await rows(sql)).toEqual(expected);
  });

  test('is answered with the names and types of its columns', async () => {
    const { columns, truncated } = await ask(
      'select logs.time, level as how, score, make_timestamp(0) from logs, events limit 1',
    );
    expect(columns).toEqual([
      { name: 'time', type: 'BIGINT' },
      { name: 'how', type: 'VARCHAR' },
      { name: 'score', type: 'DOUBLE' },
      { name: 'make_timestamp(0)', type: 'TIMESTAMP' },
    ]);
    expect(truncated).toBe(false);
  });

  test('that gives more than 10,000 rows is cut off there, and says so', async () => {
    const result = await ask('select time from logs');
    expect([result.rows.length, result.truncated]).toEqual([10_000, true]);
    const exact = await ask('select time from logs limit 10000');
    expect([exact.rows.length, exact.truncated]).toEqual([10_000, false]);
  });
});

/** What somebody might try who wants more than the three views. */
const attacks = [
  // Several statements, and others than SELECT.
  '',
  ';',
  '-- nothing',
  'select 1; select 2',
  'select 1; drop table log',
  '/* x */ select 1 /* y */; delete from log',
  'insert into log select * from log',
  "update log set msg = ''",
  'delete from logs',
  'drop table log',
  'drop view logs',
  'create table t as select 1',
  'create temp table t (a int)',
  'create view v as select 1',
  'alter table log add column a int',
  'create macro f() as 1',
  'create function f(a) as a',
  'create secret (type s3)',
  'begin',
  'commit',
  'rollback',
  'checkpoint',
  'vacuum',
  'analyze',
  'explain select 1',
  'explain analyze select * from logs',
  'prepare p as select 1',
  'execute p',
  'call pragma_version()',
  // Files, networks, other databases, extensions.
  "copy logs to '/tmp/attack.csv'",
  "copy (select 1) to '/tmp/attack.parquet' (format parquet)",
  "copy log from '/etc/passwd'",
  "export database '/tmp/attack'",
  "import database '/tmp/attack'",
  "attach '/tmp/attack.db' as a",
  'detach memory',
  'use memory',
  'install httpfs',
  'load httpfs',
  "force install spatial from 'http://127.0.0.1/'",
  "select * from '/etc/passwd'",
  "from 'x.csv'",
  "from 'x.parquet'",
  "select * from read_csv('/etc/passwd')",
  "select * from read_csv_auto('/etc/passwd')",
  "select * from read_text('/etc/passwd')",
  "select * from read_blob('/etc/passwd')",
  "select * from read_json('/etc/passwd')",
  "select * from read_parquet('x.parquet')",
  "select * from glob('/*')",
  "select * from sniff_csv('/etc/passwd')",
  "select * from parquet_metadata('x')",
  "select * from 'http://127.0.0.1/x.csv'",
  "select * from sqlite_scan('x', 'y')",
  'select * from "/etc/passwd"',
  "select (select content from read_text('/etc/hostname'))",
  "with f as (select * from read_text('/etc/passwd')) select * from f",
  "select * from logs where msg in (select file from glob('/*'))",
  // Settings and the system.
  'set threads = 1',
  'set enable_external_access = true',
  'reset threads',
  'pragma database_list',
  'pragma version',
  "pragma table_info('log')",
  'select * from duckdb_settings()',
  'select * from duckdb_functions()',
  'select * from duckdb_tables()',
  'from duckdb_secrets()',
  'from pragma_database_size()',
  'select * from duckdb_tables',
  'select * from information_schema.tables',
  'select * from pg_catalog.pg_class',
  'select * from sqlite_master',
  "select getenv('HOME')",
  "select current_setting('temp_directory')",
  "select getvariable('x')",
  'select version()',
  'select current_database()',
  'select current_schema',
  'select current_user',
  'select user',
  'select current_catalog',
  'select current_query()',
  "select nextval('s')",
  'select txid_current()',
  'show tables',
  'show all tables',
  'describe logs',
  'describe log',
  'summarize logs',
  'select * from (describe logs)',
  'from (show tables)',
  "select * from query('select 1')",
  "select * from query_table('log')",
  "select json_execute_serialized_sql('x')",
  "select json_serialize_sql('select 1')",
  'pragma enable_profiling',
  "select write_log('x')",
  'select pg_sleep(1)',
  'select sleep_ms(1000)',
  // Other tables.
  'select * from log',
  'select * from event',
  'select * from position',
  'select * from main.logs',
  'select * from memory.main.logs',
  'with log as (select * from log) select * from log',
  'select * from (with log as (select 1) select * from log) a, log',
  'with a as (select * from position), position as (select 1) select * from a',
  'select * from LOG',
  'table log',
  'select (select count(*) from log)',
  'select * from logs where exists (from position)',
  'select * from logs at (version => 1)',
  // Without end, or without measure.
  'with recursive r as (select 1 n union all select n + 1 from r) select * from r',
  'select * from range(1000000000)',
  'select range(100000000)',
  'select unnest(generate_series(1, 1000000000))',
  "select repeat('x', 1000000000)",
  "select lpad('x', 1000000000, 'y')",
  "select printf('%1000000000d', 1)",
  "select format('{:1000000000}', 1)",
  "select replace(msg, 'e', msg) from logs",
  "select regexp_replace(msg, 'e', msg, 'g') from logs",
  'select list(msg) from logs',
  "select string_agg(msg, '') from logs",
  'select array_agg(msg) from logs',
  'select histogram(msg) from logs',
  'select msg || msg || msg || msg || msg || msg || msg from logs',
  'select [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]',
  "select {'a': 1}",
  'select list_transform([1], lambda x: x)',
  'select columns(c -> true) from logs',
  'select $1',
  'select ?',
  'select 1::integer[]',
  "select 'x'::json",
  "select '1'::struct(a int)",
  "select 'x'::blob",
  'select 1::no_such_type',
  'pivot logs on level using count(*)',
  'select * from (pivot logs on level using count(*))',
  'unpivot logs on level',
  "select * from logs positional join events tablesample 1%, glob('*')",
  `select ${'abs('.repeat(1900)}1${')'.repeat(1900)}`,
  `select ${'1+'.repeat(4900)}1 from`,
  `select ${'x'.repeat(10_001)}`,
  'select 1\0; drop table log',
  'select "',
  "select '",
  'select \u{1f697}',
  'selec 1',
  'null',
  '{}',
];

test('there are more than a hundred attacks', () => expect(new Set(attacks).size).toBeGreaterThan(100));

test.each(attacks.map((sql) => [sql.length > 80 ? `${sql.slice(0, 80)}…` : sql, sql]))(
  'is refused: %s',
  async (_, sql) => {
    await expect(ask(sql)).rejects.toMatchObject({ name: 'StoreError', code: 'invalid', pointer: '/sql' });
  },
);

test('no attack left a trace, and the database goes on', async () => {
  for (const name of ['/tmp/attack.csv', '/tmp/attack.parquet', '/tmp/attack', '/tmp/attack.db'])
    expect(existsSync(name)).toBe(false);
  expect((await readdir(folder)).sort()).toEqual(['log.duckdb', 'log.duckdb.wal']);
  expect(await rows('select count(*) from logs')).toEqual([[20_000]]);
  await database.writer.append([entry(30_000)], position);
  expect(await rows('select count(*) from logs')).toEqual([[20_001]]);
});

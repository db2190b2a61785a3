import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import type { SqlResult } from '../../../../store/log/sql/sql-runner.ts';
import { LogDatabase } from '../../../../store/log/worker/log-database.ts';
import { atEnd } from '../../../support/cleanup.ts';
import { temporaryFolder } from '../../../support/folder.ts';
import { openSnapshot } from '../../../support/statements.ts';

/** Statements that DuckDB does not end when it is asked to, because a single row takes too long. */

let ask: (sql: string) => Promise<SqlResult>;
beforeAll(async () => {
  const file = join(await temporaryFolder(), 'log.duckdb');
  const { database } = await LogDatabase.open(file);
  atEnd(() => database.close());
  const entry = { level: 'info', src: 'app', monitorID: '', msg: 'Connection timed out' } as const;
  await database.writer.append([{ ...entry, time: 1 }], { identity: 's', sequence: 1, time: 1, readAt: 1 });
  ({ run: ask } = await openSnapshot({ file, database }));
});

const text = `'${'a'.repeat(2000)}'`;
const many = `'${'%a'.repeat(60)}b'`;

test.each([
  // Many wildcards over a long text, in each of the ways that LIKE can be written.
  `select ${text} ilike ${many}`,
  `select ${text} not ilike ${many}`,
  `select ${text} ~~* ${many}`,
  `select ${text} !~~* ${many}`,
  `select ${text} like '%a_%a%a%b'`,
  `select ${text} not like '%a_%a%a%b'`,
  `select ${text} ~~ '%a_%a%a%b'`,
  `select ${text} !~~ '%a_%a%a%b'`,
  `select ${text} like ${many} escape '!'`,
  `select ${text} not like ${many} escape '!'`,
  `select ${text} ilike ${many} escape '!'`,
  `select like_escape(${text}, ${many}, '!')`,
  `select not_ilike_escape(${text}, ${many}, '!')`,
  `select ${text} glob '*a*a*a*b'`,
  `select ${text} ~~~ '*a*a*a*b'`,
  `with t as (select ${text} as m) select count(*) from t where m ilike '%a%a%b'`,
  `select count(*) from logs where ${text} || msg ilike '%a%a%b'`,
  `select count(*) from (values (${text})) t(m) where m ilike '%a%a%b'`,
  // A text that is made long in the statement.
  `with a as (select ${text} || ${text} as m), b as (select m || m as n from a) select n || n ilike '%a%b' from b`,
  `select concat(msg, msg, msg, msg, msg, msg, msg, msg) ilike '%a%b%' from logs`,
  `select strftime(make_timestamp(time), '${'%c'.repeat(900)}') ilike '%a%b%' from logs`,
  `with a as (select concat(${text}, ${text}, ${text}) m), b as (select concat(m, m, m) n from a) select contains(n, n || 'b') from b`,
  // Patterns that are not written out.
  'select msg like msg from logs',
  'select msg like src from logs',
  "select msg like '%' || src || '%' from logs",
  "select msg like concat('%', src) from logs",
  "select msg like lower('%A') from logs",
  "select msg like 'x'::varchar from logs",
  'select msg like (select max(msg) from logs) from logs',
  "select msg like case when level = 'info' then '%a' else '%b' end from logs",
  "select msg like string_agg(src, '%') from logs group by msg",
  "select msg like repeat('%a', 5000) from logs",
  'select msg similar to src from logs',
  'select msg ~ src from logs',
  'select regexp_matches(msg, src) from logs',
  "select regexp_matches(regex := 'x', string := msg) from logs",
  "select regexp_extract(msg, '(' || src || ')') from logs",
  'select msg glob src from logs',
  "select like_escape(msg, src, '!') from logs",
  'select msg like null from logs',
  `select msg like '${'x'.repeat(201)}' from logs`,
  // Regular expressions of very many states.
  `select regexp_matches(${text}, '(a?){900}(a{900})b')`,
  `select regexp_extract(${text}, '(((a?){30}){30})b')`,
  "select regexp_full_match(msg, '(a|b)*a(a|b){900}(x{0,99}y){9}') from logs",
  `select msg similar to '${String.raw`\pL*`.repeat(40)}x' from logs`,
])('is refused: %s', async (sql) => {
  await expect(ask(sql)).rejects.toMatchObject({
    name: 'StoreError',
    code: 'invalid',
    message: expect.stringMatching(/pattern|cannot be used here/),
  });
});

test.each([
  ["select count(*) from logs where msg ilike '%TIMED%'", 1],
  ["select count(*) from logs where msg ilike '%conn%out%'", 1],
  ["select count(*) from logs where msg ilike '%conn%' or msg ilike '%time%' or src ilike '%x%y%'", 1],
  ["select count(*) from logs where lower(msg) like '%c%n%n%c%t%n%m%d%t%'", 1],
  ["select count(*) from logs where msg like 'Conn_ction%'", 1],
  ["select count(*) from logs where msg like '%50!%%' escape '!'", 0],
  ["select count(*) from logs where msg glob '*[Tt]imed*'", 1],
  ["select count(*) from logs where level || ': ' || msg ilike '%info: conn%'", 1],
  [String.raw`select count(*) from logs where regexp_matches(msg, '(\d{1,3}\.){3}\d{1,3}')`, 0],
  [String.raw`select count(*) from logs where msg ~ 'Connection \w+ (out|in)'`, 1],
  [`select count(*) from logs where contains(msg, '${'x'.repeat(5000)}')`, 0],
])('is answered: %s', async (sql, count) => {
  expect((await ask(sql)).rows).toEqual([[count]]);
});

/** Expressions of which each names the one before it twice. */
const doubling = (levels: number, select: string) => {
  const parts = Array.from(
    { length: levels },
    (_, n) => `c${n + 1} as (${select.replaceAll('BEFORE', `c${n}`)})`,
  );
  return `with c0 as (select 1 as x), ${parts.join()} select count(*) from c${levels}`;
};

test.each([
  doubling(20, 'select * from BEFORE union all select * from BEFORE'),
  doubling(25, 'select a.x from BEFORE a, BEFORE b'),
  doubling(30, 'select (select max(x) from BEFORE) + (select min(x) from BEFORE) as x'),
  doubling(20, 'select *, * from BEFORE'),
  doubling(20, 'select a.*, a.* from BEFORE a'),
  `select count(*) from ${Array.from({ length: 150 }, (_, n) => `logs l${n}`).join()}`,
  `select count(*) from logs l0 ${Array.from({ length: 60 }, (_, n) => `join logs l${n + 1} using (time)`).join(' ')}`,
  'select -1e400 from logs',
  'select max(msg, 20000) over () from logs',
  'select min_by(msg, time, 20000) from logs',
  'select arg_max(msg, time, 20000) from logs',
])('what DuckDB cannot be interrupted in planning, or counts no memory for, is refused: %s', async (sql) => {
  await expect(ask(sql)).rejects.toMatchObject({
    code: 'invalid',
    message: expect.stringMatching(/cannot be used here$/),
  });
});

test('twenty tables, and common table expressions that are used a few times, are planned', async () => {
  const joined = Array.from({ length: 19 }, (_, n) => `join logs l${n + 1} using (time)`).join(' ');
  expect((await ask(`select count(*) from logs l0 ${joined}`)).rows).toEqual([[1]]);
  expect((await ask(doubling(4, 'select * from BEFORE union all select * from BEFORE'))).rows).toEqual([
    [16],
  ]);
  expect(
    (
      await ask(
        'with a as (select * from logs), b as (select *, 1 as n from a) select n, max(msg) from b group by n',
      )
    ).rows,
  ).toEqual([[1, 'Connection timed out']]);
});

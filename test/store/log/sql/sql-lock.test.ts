import { existsSync } from 'node:fs';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, expect, test, vi } from 'vitest';
import type { SqlResult } from '../../../../store/log/sql/sql-runner.ts';
import { LogDatabase } from '../../../../store/log/worker/log-database.ts';
import { atEnd } from '../../../support/cleanup.ts';
import { temporaryFolder } from '../../../support/folder.ts';
import { openSnapshot } from '../../../support/statements.ts';

/** The first wall is down: what is left is what the database itself refuses. */
vi.mock('../../../../store/log/sql/sql-allowlist.ts', () => ({ checkText: () => {}, checkTree: () => {} }));

let folder: string;
let ask: (sql: string) => Promise<SqlResult>;
beforeAll(async () => {
  folder = await temporaryFolder();
  await writeFile(join(folder, 'secret.csv'), 'word\nsesame\n');
  const file = join(folder, 'log.duckdb');
  const { database } = await LogDatabase.open(file);
  atEnd(() => database.close());
  const { run } = await openSnapshot({ file, database });
  ask = (sql) => run(sql.replaceAll('FOLDER', folder));
});

test('the first wall is down', async () => {
  expect((await ask('select count(*) from log')).rows).toEqual([[0]]);
  expect((await ask("select current_setting('enable_external_access')")).rows).toEqual([[false]]);
});

test.each([
  "select * from read_csv('FOLDER/secret.csv')",
  "select * from read_text('FOLDER/secret.csv')",
  "select * from read_blob('FOLDER/secret.csv')",
  "select * from 'FOLDER/secret.csv'",
  "select * from glob('FOLDER/*')",
  "select * from read_csv('http://127.0.0.1:1/x.csv')",
  "copy log from 'FOLDER/secret.csv'",
  "copy (select 1) to 'FOLDER/attack.csv'",
  "copy (select 1) to 'FOLDER/attack.parquet' (format parquet)",
  "export database 'FOLDER/attack'",
  "import database 'FOLDER/attack'",
  "attach 'FOLDER/attack.db' as a",
  'install httpfs',
  "install 'FOLDER/attack.duckdb_extension'",
  'load httpfs',
  "load 'FOLDER/attack.duckdb_extension'",
  'set enable_external_access = true',
  'set global enable_external_access = true',
  'reset enable_external_access',
  "set allowed_directories = ['FOLDER']",
  'set lock_configuration = false',
  "set temp_directory = 'FOLDER/attack'",
  "set memory_limit = '64GB'",
  'set threads = 64',
  "set log_query_path = 'FOLDER/attack.log'",
  "pragma enable_profiling = 'json'",
  "pragma profiling_output = 'FOLDER/attack.json'",
  'set autoinstall_known_extensions = true',
  "select getenv('HOME')",
])('the database itself refuses: %s', async (sql) => {
  await expect(ask(sql)).rejects.toMatchObject({ name: 'StoreError', code: 'invalid' });
});

test('nothing was read, written or changed', async () => {
  expect((await readdir(folder)).filter((name) => name.includes('attack'))).toEqual([]);
  expect(existsSync('attack')).toBe(false);
  const settings =
    "select value from duckdb_settings() where name in ('threads', 'memory_limit') order by name";
  expect((await ask(settings)).rows).toEqual([['244.1 MiB'], ['2']]);
});

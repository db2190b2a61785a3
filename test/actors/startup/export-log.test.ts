import { spawn } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { beforeAll, describe, expect, test } from 'vitest';
import { type MachineEntry, matchesFilter } from '../../../store/log/read/log-filter.ts';
import { LogDatabase } from '../../../store/log/worker/log-database.ts';
import { atEnd } from '../../support/cleanup.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { project } from '../../support/project.ts';
import { waitFor } from '../../support/wait.ts';

const start = Date.parse('2026-11-22T22:00:00Z') * 1000;
const count = 25_000;
const entries = Array.from(
  { length: count },
  (_, n): MachineEntry => ({
    level: n % 10 === 0 ? 'error' : 'info',
    time: start + n * 1_000_000,
    msg: `entry ${n}, "quoted"`,
    src: n % 3 === 0 ? 'app' : 'recorder',
    monitorID: n % 2 === 0 ? 'door' : '',
    machine: 'nvr1',
  }),
);

const entry = `import { exportLog } from ${JSON.stringify(join(project, 'dist/modules/actors/startup/export-log.js'))};
process.exitCode = await exportLog(process.argv.slice(1));`;

/** What `npm run export -- ARGS` does once everything is installed. */
function begin(args: readonly string[]) {
  const child = spawn(process.execPath, ['--input-type=module', '--eval', entry, '--', ...args]);
  atEnd(async () => void child.kill('SIGKILL'));
  const output: Buffer[] = [];
  let errors = '';
  child.stdout.on('data', (data: Buffer) => output.push(data));
  child.stderr.on('data', (data: Buffer) => {
    errors += data;
  });
  const ended = new Promise<{ code: number | null; output: string; errors: string }>((resolve) => {
    child.on('close', (code) => resolve({ code, output: Buffer.concat(output).toString(), errors }));
  });
  return { child, ended };
}
const run = (...args: string[]) => begin(args).ended;

let folder: string;
let archive: string;
beforeAll(async () => {
  folder = await temporaryFolder();
  archive = join(folder, 'sentrybus.duckdb');
  const { database } = await LogDatabase.open(archive, { machine: 'nvr1', others: [] });
  await database.writer.append(entries, { identity: 's', sequence: 1, time: 1, readAt: 1 });
  await database.close();
});

const csv = (some: readonly MachineEntry[]) =>
  `time,level,src,monitorID,msg,machine\r\n${some
    .map(({ time, level, src, monitorID, msg, machine }) =>
      [time, level, src, monitorID, `"${msg.replaceAll('"', '""')}"`, machine].join(),
    )
    .map((line) => `${line}\r\n`)
    .join('')}`;

describe('an export of a closed log', () => {
  test('writes every entry, from the storage folder or its file, and changes nothing there', async () => {
    const before = await readFile(archive);
    for (const from of [folder, archive]) {
      const out = join(await temporaryFolder(), 'log.csv');
      expect(await run(from, '--out', out)).toEqual({
        ...{ code: 0, errors: '' },
        output: `Wrote ${out} (${Buffer.byteLength(csv(entries))} bytes)\n`,
      });
      expect(await readFile(out, 'utf8')).toBe(csv(entries));
      expect(statSync(out).mode & 0o777).toBe(0o640);
    }
    expect((await readFile(archive)).equals(before)).toBe(true);
  });

  test.each([
    ['--from', '2026-11-23', { after: start + 7_200_000_000 - 1 }],
    ['--from', '2026-11-22T23:00', { after: start + 3_600_000_000 - 1 }],
    ['--to', '2026-11-23T00:00:00+01:00', { time: start + 3_600_000_000 }],
    ['--to', String(start + 5), { time: start + 5 }],
    ['--level', 'error,warning', { levels: ['error', 'warning'] as const }],
    ['--source', 'app', { sources: ['app'] }],
    ['--monitor', 'door', { monitors: ['door'] }],
    ['--text', 'entry 24', { text: 'entry 24' }],
  ])('keeps to %s %s', async (name, value, filter) => {
    const expected = entries.filter((one) => matchesFilter(filter as object, one));
    expect(expected.length).toBeGreaterThan(0);
    expect(expected.length).toBeLessThan(count);
    const { code, output } = await run(archive, '--out', '-', '--format', 'csv', name, value);
    expect(code).toBe(0);
    expect(output).toBe(csv(expected));
  });

  test('writes Parquet that DuckDB reads, as it does NDJSON', async () => {
    const out = join(folder, 'log.parquet');
    expect((await run(archive, '--out', out)).code).toBe(0);
    const instance = await DuckDBInstance.create();
    const connection = await instance.connect();
    const found = await connection.runAndReadAll(`SELECT count(*), min(time), max(msg) FROM '${out}'`);
    expect(found.getRows()).toEqual([[BigInt(count), BigInt(start), 'entry 9999, "quoted"']]);
    connection.closeSync();
    instance.closeSync();
    const { output } = await run(archive, '--out', '-', '--format', 'ndjson', '--text', 'entry 77,');
    expect(
      output
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toEqual([entries[77]]);
  });

  test('reads a log that was not closed, and one that is older than what makes it fast', async () => {
    const other = join(await temporaryFolder(), 'old.duckdb');
    await writeFile(other, await readFile(archive));
    const instance = await DuckDBInstance.create(other);
    const connection = await instance.connect();
    await connection.run('DROP TABLE hourly; DROP TABLE slice; CHECKPOINT');
    await connection.run("INSERT INTO log VALUES (9000000000000000, 'info', 'app', '', 'last')");
    await writeFile(`${other}.copy`, await readFile(other));
    await writeFile(`${other}.copy.wal`, await readFile(`${other}.wal`));
    connection.closeSync();
    instance.closeSync();
    const { code, output } = await run(`${other}.copy`, '--out', '-', '--format', 'csv');
    expect([code, output]).toEqual([0, `${csv(entries)}9000000000000000,info,app,,last,nvr1\r\n`]);
  });
});

describe('an export is refused', () => {
  const out = () => join(folder, 'none.csv');

  test('while a recorder has the log open', async () => {
    const file = join(await temporaryFolder(), 'log.duckdb');
    const { database } = await LogDatabase.open(file);
    atEnd(() => database.close());
    const { code, errors } = await run(file, '--out', out());
    expect([code, existsSync(out())]).toEqual([1, false]);
    expect(errors).toBe(
      `${file} is open in a recorder that runs: stop it, or download from its /api/log/export\n`,
    );
  });

  test('when the file is there already, which stays as it is', async () => {
    const taken = join(folder, 'taken.csv');
    await writeFile(taken, 'mine');
    expect(await run(archive, '--out', taken)).toEqual({
      code: 1,
      output: '',
      errors: `${taken} already exists\n`,
    });
    expect(await readFile(taken, 'utf8')).toBe('mine');
  });

  test('when there is no log, or it is something else', async () => {
    const nowhere = join(folder, 'nowhere.duckdb');
    expect((await run(nowhere, '--out', out())).errors).toBe(`${nowhere} does not exist\n`);
    const other = join(folder, 'other.duckdb');
    await writeFile(other, 'x'.repeat(5000));
    expect((await run(other, '--out', out())).errors).toContain('is not a log that can be read');
    expect([existsSync(nowhere), existsSync(out())]).toEqual([false, false]);
  });

  test.each([
    [[], 'expected one ARCHIVE'],
    [['ARCHIVE', 'another', '--out', 'x.csv'], 'expected one ARCHIVE'],
    [['ARCHIVE'], 'expected --out'],
    [['ARCHIVE', '--out', 'x.doc'], 'expected --format parquet|csv|ndjson'],
    [['ARCHIVE', '--out', 'x.csv', '--format', 'xml'], 'expected --format'],
    [['ARCHIVE', '--out', 'x.csv', '--level', 'fatal'], "--level cannot be 'fatal'"],
    [['ARCHIVE', '--out', 'x.csv', '--from', 'yesterday'], "--from: expected a time, not 'yesterday'"],
    [['ARCHIVE', '--out', 'x.csv', '--to', '2026-13-01'], '--to: expected a time'],
    [['ARCHIVE', '--out', 'x.csv', '--unknown'], '--unknown'],
  ])('with the reason and the usage: %j', async (args, reason) => {
    const { code, output, errors } = await run(...args.map((arg) => (arg === 'ARCHIVE' ? archive : arg)));
    expect([code, output]).toEqual([1, '']);
    expect(errors.split('\n', 1)[0]).toContain(reason);
    expect(errors).toContain('usage: npm run export');
    expect(existsSync('x.csv')).toBe(false);
  });
});

test('an export that is interrupted leaves no file', async () => {
  const other = join(await temporaryFolder(), 'big.duckdb');
  await writeFile(other, await readFile(archive));
  const instance = await DuckDBInstance.create(other);
  const connection = await instance.connect();
  await connection.run(
    `INSERT INTO log SELECT ${start} + 1e11::BIGINT + n, 'info', 'app', '', repeat('x', 500) FROM range(600000) r(n)`,
  );
  connection.closeSync();
  instance.closeSync();
  const out = join(folder, 'part.csv');
  const { child, ended } = begin([other, '--out', out]);
  await waitFor(() => existsSync(out) && statSync(out).size > 0, 20_000, 'the first piece');
  child.kill('SIGINT');
  expect(await ended).toEqual({ code: 1, output: '', errors: 'interrupted; nothing was written\n' });
  expect(existsSync(out)).toBe(false);
});

test('help explains the options', async () => {
  const { code, output } = await run('--help');
  expect(code).toBe(0);
  expect(output).toContain('--format');
});

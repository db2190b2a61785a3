import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import type { LogEntry } from '../../../../bus/messages.ts';
import type { SqlProcesses } from '../../../../store/log/sql-process/sql-processes.ts';
import { LogDatabase } from '../../../../store/log/worker/log-database.ts';
import { atEnd } from '../../../support/cleanup.ts';
import { temporaryFolder } from '../../../support/folder.ts';
import { commandLine, descendants, ownCpuSeconds } from '../../../support/processes.ts';
import { openStatements } from '../../../support/statements.ts';
import { waitFor } from '../../../support/wait.ts';

const start = Date.parse('2026-11-23T03:40:12Z') * 1000;
const count = 30_000;
const endless = "select count(*) from logs a, logs b, logs c where a.msg || b.msg || c.msg = 'x'";
const never = new AbortController().signal;
const entry = (n: number): LogEntry => ({
  ...{ level: 'info', time: start + n, msg: `entry ${n}`, src: 'app', monitorID: '' },
});

let folder: string;
let database: LogDatabase;
let statements: SqlProcesses;
let sequence = 0;
const append = (entries: LogEntry[]) => {
  sequence += 1;
  return database.writer.append(entries, { identity: 's', sequence, time: 1, readAt: 1 });
};
beforeAll(async () => {
  folder = await temporaryFolder();
  const file = join(folder, 'log.duckdb');
  ({ database } = await LogDatabase.open(file));
  atEnd(() => database.close());
  await append(Array.from({ length: count }, (_, n) => entry(n)));
  statements = openStatements({ file, database });
});

const ask = async (sql: string) => (await statements.run(sql, never)).rows;
const processes = () => descendants(process.pid).filter((pid) => commandLine(pid).includes('sql-host.js'));
const opened = () => (existsSync(join(folder, 'sql')) ? readdirSync(join(folder, 'sql')) : []);

/** Begins to read a result. */
async function read(sql: string, signal = never) {
  const pieces = statements.stream(sql, 'csv', signal);
  const { value } = await pieces.next();
  return { text: Buffer.from(value ?? []).toString(), pieces };
}
const all = async (sql: string) => {
  const { text, pieces } = await read(sql);
  const parts = [text];
  for await (const piece of pieces) parts.push(Buffer.from(piece).toString());
  return parts.join('');
};

test('a statement sees all that was stored before it, also after a checkpoint and a deletion', async () => {
  expect(await ask('select count(*) from logs')).toEqual([[count]]);
  const [pid] = processes();
  await append([entry(count)]);
  expect(await ask('select max(msg) from logs where time >= (select max(time) from logs)')).toEqual([
    [`entry ${count}`],
  ]);
  await database.hold.checkpoint(0);
  await append([entry(count + 1)]);
  expect(await ask('select count(*) from logs')).toEqual([[count + 2]]);
  await database.retention.prune(start + 2, 1e9);
  expect(await ask('select count(*), min(time) from logs')).toEqual([[count, start + 2]]);
  // In one process, with one copy of the log for all of them.
  expect(processes()).toEqual([pid]);
  expect(opened().filter((name) => name.endsWith('.duckdb'))).toHaveLength(1);
});

test('what corrects the times of entries is seen as well', async () => {
  const now = start + 3600e6;
  await append([entry(2 * 3600e6), entry(2 * 3600e6 + 1)]);
  expect(await ask(`select count(*) from logs where time > ${now}`)).toEqual([[2]]);
  await database.repairTimes({ now, newest: start + 2 * 3600e6 + 1, earlier: start + count + 1 });
  expect(await ask(`select count(*), max(time) from logs where time >= ${now - 1}`)).toEqual([[2, now]]);
});

describe('a statement without end', () => {
  test('is ended after five seconds, while entries are still stored', async () => {
    const asked = ask(endless);
    asked.catch(() => {});
    await append([entry(3 * 3600e6)]);
    expect((await database.pages.read({ limit: 1 }, false))[0]?.time).toBe(start + 3 * 3600e6);
    await expect(asked).rejects.toThrow('longer than 5 seconds');
  });

  test('is ended when its client disconnects, and the next in the queue get their turn', async () => {
    const client = new AbortController();
    const asked = statements.run(endless, client.signal);
    asked.catch(() => {});
    const next = ask('select 1');
    client.abort();
    await expect(asked).rejects.toThrow('given up');
    expect(await next).toEqual([[1]]);
  });

  test('holds up only a few others', async () => {
    const client = new AbortController();
    const waiting = Array.from({ length: 4 }, () => statements.run(endless, client.signal));
    for (const each of waiting) each.catch(() => {});
    await expect(ask('select 1')).rejects.toMatchObject({ code: 'busy' });
    client.abort();
    await Promise.allSettled(waiting);
    expect(await ask('select 1')).toEqual([[1]]);
  });
});

test('a process that ends by itself is answered for, and the next statement has another', async () => {
  await ask('select 1');
  const [pid = 0] = processes();
  const before = ownCpuSeconds(pid);
  const asked = ask(endless);
  asked.catch(() => {});
  await waitFor(() => ownCpuSeconds(pid) > before + 0.3, 10_000, 'a statement that runs');
  // As the kernel does when the machine has no memory left.
  process.kill(pid, 'SIGKILL');
  await expect(asked).rejects.toMatchObject({ code: 'invalid', pointer: '/sql' });
  await expect(asked).rejects.toThrow('too much memory (at most 640 MB): its process was ended by SIGKILL');
  expect(await ask('select 1')).toEqual([[1]]);
  expect(processes()).not.toContain(pid);
  expect(opened()).not.toContain(`${pid}`);
});

describe('a result that is read piece by piece', () => {
  test('leaves room for one more only, which it gives back when it is read no more', async () => {
    const [one, two] = [await read('select * from logs'), await read('select * from logs')];
    expect(processes()).toHaveLength(2);
    await expect(read('select 1')).rejects.toMatchObject({ code: 'busy' });
    await one.pieces.return(undefined);
    expect(await all('select 1 as n')).toBe('n\r\n1\r\n');
    await two.pieces.return(undefined);
  });

  test('is one of two, also while it has nothing to show yet, and ends when its client disconnects', async () => {
    const client = new AbortController();
    const slow = [read(endless, client.signal), read(endless, client.signal)];
    for (const each of slow) each.catch(() => {});
    await expect(read('select 1')).rejects.toMatchObject({ code: 'busy' });
    client.abort();
    for (const each of slow) await expect(each).rejects.toThrow('given up');
    const other = new AbortController();
    const { pieces } = await read('select a.msg, b.msg from logs a, logs b', other.signal);
    other.abort();
    await expect(pieces.next()).rejects.toThrow('given up');
    expect(await all('select 1 as n')).toBe('n\r\n1\r\n');
  });

  test('is refused as any other, and its process goes on', async () => {
    const before = processes();
    await expect(read('select * from log')).rejects.toMatchObject({ code: 'invalid', pointer: '/sql' });
    await expect(read('select msg::integer from logs')).rejects.toThrow('Could not convert');
    expect(processes()).toEqual(before);
  });

  test('shows the log as it was when it began, while entries are stored, checkpointed and asked for', async () => {
    const { text, pieces } = await read('select msg from logs order by time');
    await append([entry(4 * 3600e6)]);
    await database.hold.checkpoint(0);
    await append([entry(4 * 3600e6 + 1)]);
    expect(await ask(`select count(*) from logs where time >= ${start + 4 * 3600e6}`)).toEqual([[2]]);
    const parts = [text];
    for await (const piece of pieces) parts.push(Buffer.from(piece).toString());
    expect(parts.join('')).not.toContain(`entry ${4 * 3600e6}`);
    expect(parts.join('')).toContain(`entry ${count - 1}\r\n`);
  });
});

test('a close ends what runs at once, and nothing is left', async () => {
  const asked = [ask(endless), read(endless)];
  for (const each of asked) each.catch(() => {});
  await waitFor(() => processes().length === 2, 10_000, 'two processes');
  const began = Date.now();
  await statements.close();
  expect(Date.now() - began).toBeLessThan(3000);
  for (const each of asked) await expect(each).rejects.toThrow('given up');
  await expect(ask('select 1')).rejects.toThrow('given up');
  expect(processes()).toEqual([]);
  expect(readdirSync(folder).filter((name) => name.startsWith('sql'))).toEqual([]);
});

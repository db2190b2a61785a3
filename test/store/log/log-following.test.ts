import { expect, test } from 'vitest';
import type { LogEntry } from '../../../bus/messages.ts';
import {
  entry,
  messages,
  numbered,
  openWithThread,
  start,
  startTestLog,
  store,
  storeSurely,
} from '../../support/test-log.ts';
import { waitFor } from '../../support/wait.ts';

test('those who follow get every entry once and with its final time, also when the thread crashes', async () => {
  const bench = await startTestLog();
  const { bus, errors } = bench;
  const { log, crash } = await openWithThread(bench);
  const followed: LogEntry[] = [];
  const end = log.follow((entries) => void followed.push(...entries));
  // The answer to a query comes after the thread has heard of the follower.
  await log.query({ limit: 1 });

  await storeSurely(bus, 1, 300);
  const publishing = storeSurely(bus, 301, 900);
  await crash();
  await publishing;
  await waitFor(() => followed.length >= 900, 10_000, 'all entries');
  expect(messages(followed)).toEqual(numbered(1, 900));
  expect((await log.query({ limit: 10_000 })).reverse()).toEqual(followed);
  expect(errors.map(({ code }) => code)).toEqual(['log_thread_ended']);

  end();
  await storeSurely(bus, 901, 910);
  await log.query({});
  expect(followed).toHaveLength(900);
});

test('a crash of the thread amid queries loses none: each is answered, or asked to try again', async () => {
  const bench = await startTestLog();
  const { log, crash } = await openWithThread(bench);
  await storeSurely(bench.bus, 1, 500);
  const ask = () => log.query({ limit: 500 }).then(messages, (error: Error) => error);
  const asked = Array.from({ length: 40 }, ask);
  // The database is at work on the second one now.
  await asked[0];
  await crash();
  for (const outcome of await Promise.all(asked)) {
    if (outcome instanceof Error) expect(outcome).toMatchObject({ name: 'StoreError', code: 'io' });
    else expect(outcome).toHaveLength(500);
  }
  // A later one waits until the database is back.
  expect(await ask()).toHaveLength(500);
});

test('followAfter hands over what came after a time and all that follows, without gap or repeat', async () => {
  const { bus, open } = await startTestLog();
  const log = await open();
  await storeSurely(bus, 1, 1200);
  const followed: LogEntry[] = [];
  let calls = 0;
  const publishing = storeSurely(bus, 1201, 2500);
  const end = log.followAfter(start + 100, {}, async (entries) => {
    calls += 1;
    expect(entries.length).toBeLessThanOrEqual(1000);
    followed.push(...entries);
    // A slow reader at first.
    if (calls < 4) await new Promise((resolve) => setTimeout(resolve, 30));
  });
  await publishing;
  await waitFor(() => followed.length >= 2400, 10_000, 'all entries');
  expect(messages(followed)).toEqual(numbered(101, 2500));

  end();
  await storeSurely(bus, 2501, 2505);
  await log.query({});
  expect(followed).toHaveLength(2400);
});

test('followAfter filters, and goes on behind a crash of the thread', async () => {
  const bench = await startTestLog();
  const { bus } = bench;
  const { log, crash } = await openWithThread(bench);
  for (let n = 1; n <= 20; n += 1) await store(bus, entry(n, { monitorID: n % 2 === 0 ? 'even' : 'odd' }));
  const followed: LogEntry[] = [];
  log.followAfter(start + 4, { monitors: ['even'] }, (entries) => void followed.push(...entries));
  await waitFor(() => followed.length >= 8, 5000, 'the stored entries');
  await crash();
  for (let n = 21; n <= 40; n += 1) await store(bus, entry(n, { monitorID: n % 2 === 0 ? 'even' : 'odd' }));
  await waitFor(() => followed.length >= 18, 10_000, 'the entries after the crash');
  expect(followed.map(({ time }) => time - start)).toEqual(Array.from({ length: 18 }, (_, k) => 6 + 2 * k));
});

test('nothing is posted from the thread while nobody follows', async () => {
  const bench = await startTestLog();
  const { bus } = bench;
  const { log, thread } = await openWithThread(bench);
  const kinds: string[] = [];
  thread.on('message', ({ kind }: { kind: string }) => kinds.push(kind));
  await storeSurely(bus, 1, 50);
  await log.query({});
  expect(kinds).toEqual(['answer']);
});

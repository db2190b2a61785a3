import { cp, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { expect, test } from 'vitest';
import { Logger } from '../../../bus/logging/logger.ts';
import { Bus } from '../../../bus/nats/bus.ts';
import { ensureStreams, streamRange } from '../../../bus/nats/jetstream.ts';
import { startNatsServer } from '../../../bus/nats/nats-server.ts';
import { LogStore } from '../../../store/log/log-store.ts';
import { startChild } from '../../support/child.ts';
import { atEnd } from '../../support/cleanup.ts';
import { project } from '../../support/project.ts';
import {
  entry,
  expectIncreasing,
  messages,
  numbered,
  startTestLog,
  store,
  storeSurely,
} from '../../support/test-log.ts';
import { waitFor } from '../../support/wait.ts';

test('every entry is there once after nats-server was killed and the store closed and opened meanwhile', async () => {
  const { bus, server, open, errors } = await startTestLog();
  let log = await open();
  const count = 1500;
  const publishing = storeSurely(bus, 1, count);
  const shown = new Set<string>();
  for (let round = 0; round < 4; round += 1) {
    const seen = await waitFor(
      async () => {
        const found = await log.query({ limit: 10_000 });
        for (const { msg } of found) shown.add(msg);
        return found.length >= (round + 1) * 200;
      },
      10_000,
      `round ${round}`,
    );
    expect(seen).toBe(true);
    if (round % 2 === 0) process.kill(server.pid, 'SIGKILL');
    else {
      await log.close();
      log = await open();
    }
  }
  await publishing;
  const found = (await log.query({ limit: 10_000 })).reverse();
  expect(messages(found)).toEqual(numbered(1, count));
  expectIncreasing(found.map(({ time }) => time));
  for (const msg of shown) expect(messages(found)).toContain(msg);
  expect(errors).toEqual([]);
});

test('a database file that cannot be read is moved aside and made again from the bus', async () => {
  const { bus, open, file, folder, errors } = await startTestLog();
  const before = await open();
  await storeSurely(bus, 1, 100);
  await before.query({});
  await before.close();
  await writeFile(file, 'this is no database');

  const log = await open();
  expect(messages((await log.query({})).reverse())).toEqual(numbered(1, 100));
  expect(errors.map(({ code }) => code)).toEqual(['log_database_broken']);
  expect(await readdir(folder)).toContain('logs.duckdb.broken');
});

test('the store begins again with a stream that was made anew, keeps what it has and says so', async () => {
  const { bus, open, errors } = await startTestLog();
  const log = await open();
  await storeSurely(bus, 1, 20);
  await log.query({});
  await log.close();
  await (await bus.jetStream.manager).streams.delete('LOGS');
  await ensureStreams(bus);
  await store(bus, ...[21, 22, 23].map((n) => entry(n)));

  const again = await open();
  expect(messages((await again.query({})).reverse())).toEqual(numbered(1, 23));
  expect(errors.map(({ code }) => code)).toEqual(['log_stream_replaced']);
});

test('entries that the bus dropped before they were read are counted', async () => {
  const { bus, open, errors } = await startTestLog();
  const log = await open();
  await storeSurely(bus, 1, 10);
  await log.query({});
  await log.close();
  await storeSurely(bus, 11, 20);
  await (await bus.jetStream.manager).streams.purge('LOGS', { seq: 16 });

  const again = await open();
  expect(messages((await again.query({})).reverse())).toEqual([...numbered(1, 10), ...numbered(16, 20)]);
  expect(errors.map(({ code, message }) => [code, message])).toEqual([
    ['log_entries_lost', expect.stringMatching(/^5 /)],
  ]);
  expect((await streamRange(bus, 'LOGS')).last).toBe(20);
});

// Of five that are lost.
test.each([2, 9])(
  'new entries are read after the bus has lost its newest ones and reuses their sequence numbers for %d others',
  async (count) => {
    const bench = await startTestLog();
    const log = await bench.open();
    const dir = join(bench.folder, 'bus');
    await storeSurely(bench.bus, 1, 10);
    await bench.server.stop();
    await cp(join(dir, 'jetstream'), join(bench.folder, 'before'), { recursive: true });

    const restart = async () => {
      const server = await startNatsServer({ dir, log: new Logger(() => {}).source('app') });
      atEnd(() => server.stop());
      const bus = await Bus.connect(server.address, 'test');
      atEnd(() => bus.close());
      return { server, bus };
    };
    await log.close();
    const second = await restart();
    await storeSurely(second.bus, 11, 15);
    const reopen = () =>
      LogStore.open({
        file: bench.file,
        bus: second.server.address,
        logs: { maxAgeDays: 30, maxSizeMegabytes: 100 },
        onError: (error) => bench.errors.push(error),
      });
    let again = await reopen();
    expect(messages((await again.query({})).reverse())).toEqual(numbered(1, 15));
    await again.close();
    await second.server.stop();
    await rm(join(dir, 'jetstream'), { recursive: true });
    await cp(join(bench.folder, 'before'), join(dir, 'jetstream'), { recursive: true });

    const third = await restart();
    Object.assign(second, third);
    // So much later than the last one was read they are others for certain.
    await sleep(1100);
    await store(third.bus, ...Array.from({ length: count }, (_, n) => entry(16 + n)));
    again = await reopen();
    atEnd(() => again.close());
    await expect
      .poll(async () => messages((await again.query({})).reverse()), { timeout: 10_000 })
      .toEqual(numbered(1, 15 + count));
    expect(bench.errors.map(({ code }) => code)).toEqual(['log_stream_replaced']);
  },
);

test('what a query has shown is there after the process of the store was killed', async () => {
  const { bus, server, folder, file, open } = await startTestLog();
  const script = join(folder, 'store.mjs');
  const module = pathToFileURL(join(project, 'dist/modules/store/log/log-store.js')).href;
  const options = { file, bus: server.address, logs: { maxAgeDays: 30, maxSizeMegabytes: 100 } };
  await writeFile(
    script,
    `import { LogStore } from ${JSON.stringify(module)};
     const log = await LogStore.open({ ...${JSON.stringify(options)}, onError: () => {} });
     for (;;) console.log('shown', (await log.query({ limit: 10000 })).length);`,
  );
  for (let round = 1; round <= 2; round += 1) {
    const publishing = storeSurely(bus, round * 300 - 299, round * 300);
    const child = startChild(process.execPath, [script]);
    await child.line(/^shown [1-9]/);
    await child.kill();
    await publishing;
    const shown = Math.max(...child.lines.map((line) => Number(line.split(' ')[1])));
    const log = await open();
    const found = (await log.query({ limit: 10_000 })).reverse();
    expect(found.length).toBeGreaterThanOrEqual(shown);
    expect(messages(found)).toEqual(numbered(1, round * 300));
    expectIncreasing(found.map(({ time }) => time));
    await log.close();
  }
});

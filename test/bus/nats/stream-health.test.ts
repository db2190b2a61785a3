import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { Bus } from '../../../bus/nats/bus.ts';
import { ensureStreams, keepsStreams } from '../../../bus/nats/jetstream.ts';
import { watchStreamHealth } from '../../../bus/nats/stream-health.ts';
import { logs } from '../../../bus/subjects.ts';
import { startTestBus } from '../../support/bus.ts';
import { atEnd } from '../../support/cleanup.ts';
import { waitFor } from '../../support/wait.ts';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

test('a bus that keeps nothing any more is repaired after two looks, and is healthy again afterwards', async () => {
  const { bus } = await startTestBus();
  const manager = await bus.jetStream.manager;
  await manager.streams.delete('LOGS');
  let repairs = 0;
  const watch = watchStreamHealth(bus, 50, () => {
    repairs += 1;
  });
  atEnd(async () => watch.stop());
  await waitFor(() => !watch.healthy, 5000, 'the first look');
  expect(repairs).toBe(0);
  await waitFor(() => repairs === 1, 5000, 'the repair');
  await ensureStreams(bus);
  await waitFor(() => watch.healthy, 5000, 'health');
  expect(repairs).toBe(1);
});

test('a server that restarts on request is back with its streams', async () => {
  const { server, bus } = await startTestBus();
  expect(await keepsStreams(bus)).toBe(true);
  const back = new Promise<void>((resolve) => {
    bus.onReconnect(resolve);
  });
  const before = server.pid;
  server.restart();
  await back;
  expect(server.pid).not.toBe(before);
  expect(await keepsStreams(bus)).toBe(true);
});

test('storing many messages leaves nothing behind', async () => {
  const { server } = await startTestBus();
  const bus = await Bus.connect(server.address, 'many');
  const entry = { level: 'info' as const, time: 1, msg: 'x', src: 'app', monitorID: '' };
  const store = async (from: number, count: number) => {
    for (let n = from; n < from + count; n += 100) {
      await Promise.all(
        Array.from({ length: 100 }, (_, k) => bus.store(logs, ['info', 'app', ''], entry, `id${n + k}`)),
      );
    }
    collectGarbage();
    return process.memoryUsage().heapUsed;
  };
  const begin = await store(0, 2000);
  const end = await store(2000, 10_000);
  await bus.close();
  // Three hundred bytes for each would be three megabytes.
  expect(end - begin).toBeLessThan(1_500_000);
});

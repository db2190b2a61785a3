import { expect, test } from 'vitest';
import { ensureStreams, replay } from '../../../bus/nats/jetstream.ts';
import { Outbox } from '../../../bus/nats/outbox.ts';
import { logs } from '../../../bus/subjects.ts';
import { startTestBus } from '../../support/bus.ts';
import { atEnd } from '../../support/cleanup.ts';
import { waitFor } from '../../support/wait.ts';

const entry = (n: number) => ({
  level: 'info' as const,
  time: n,
  msg: `entry ${n}`,
  src: 'app',
  monitorID: '',
});

const add = (outbox: Outbox, n: number) => outbox.add(logs, ['info', 'app', ''], entry(n));

test('messages keep their order and are stored once while the server dies and comes back', async () => {
  const { server, bus } = await startTestBus();
  const outbox = new Outbox(10_000, () => {});
  outbox.attach(bus);
  const seen: number[] = [];
  const reader = replay(bus, 'LOGS', logs, 1, ({ message }) => void seen.push(message?.time ?? -1));
  atEnd(async () => reader.stop());
  const numbers = Array.from({ length: 2000 }, (_, n) => n);
  for (const n of numbers) {
    add(outbox, n);
    if (n === 1000) process.kill(server.pid, 'SIGKILL');
    if (n % 100 === 0) await new Promise((resolve) => setTimeout(resolve, 10));
  }
  await waitFor(() => new Set(seen).size === numbers.length, 15_000, 'every message');
  expect(seen).toEqual(numbers);
});

test('however few messages wait, they are held to a bounded size', async () => {
  const { bus } = await startTestBus();
  const lost: number[] = [];
  const outbox = new Outbox(100_000, (count) => void lost.push(count));
  const msg = 'x'.repeat(4000);
  for (let n = 0; n < 10_000; n += 1) outbox.add(logs, ['info', 'app', ''], { ...entry(n), msg });
  outbox.attach(bus);
  await outbox.flush(20_000);
  // 32 MB of 4 kB each.
  expect(lost).toHaveLength(1);
  expect(lost[0]).toBeGreaterThan(2000);
  expect(lost[0]).toBeLessThan(2500);
});

test('a message that no stream takes is tried again until one does', async () => {
  const { bus } = await startTestBus();
  const manager = await bus.jetStream.manager;
  await manager.streams.delete('LOGS');
  await expect(bus.store(logs, ['info', 'app', ''], entry(1), 'one')).rejects.toThrow('keeps no stream');
  const outbox = new Outbox(100, () => {});
  outbox.attach(bus);
  for (let n = 1; n <= 20; n += 1) add(outbox, n);
  await outbox.flush(300);
  await ensureStreams(bus);
  await outbox.flush(5000);
  const seen: number[] = [];
  const reader = replay(bus, 'LOGS', logs, 1, ({ message }) => void seen.push(message?.time ?? -1));
  atEnd(async () => reader.stop());
  await waitFor(() => seen.length >= 20, 5000, 'every message');
  expect(seen).toEqual(Array.from({ length: 20 }, (_, n) => n + 1));
});

test('messages added while the bus is unreachable do not overtake earlier ones', async () => {
  const { server, bus } = await startTestBus();
  const outbox = new Outbox(10_000, () => {});
  outbox.attach(bus);
  let added = 0;
  for (let restart = 1; restart <= 3; restart += 1) {
    const back = new Promise<void>((resolve) => {
      const forget = bus.onReconnect(() => {
        forget();
        resolve();
      });
    });
    server.restart();
    // So few at a time that there is always room for one more under way.
    const adding = setInterval(() => {
      added += 1;
      add(outbox, added);
    }, 5);
    await back;
    clearInterval(adding);
    await outbox.flush(10_000);
  }
  const seen: number[] = [];
  const reader = replay(bus, 'LOGS', logs, 1, ({ message }) => void seen.push(message?.time ?? -1));
  atEnd(async () => reader.stop());
  await waitFor(() => seen.length >= added, 5000, 'every message');
  expect(seen).toEqual(Array.from({ length: added }, (_, n) => n + 1));
});

test('past its limit the oldest messages are dropped, and their number is reported', async () => {
  const { bus } = await startTestBus();
  const lost: number[] = [];
  const outbox = new Outbox(10, (count) => void lost.push(count));
  for (let n = 0; n < 25; n += 1) add(outbox, n);
  outbox.attach(bus);
  await outbox.flush(5000);
  expect(lost).toEqual([15]);
  const seen: number[] = [];
  const reader = replay(bus, 'LOGS', logs, 1, ({ message }) => void seen.push(message?.time ?? -1));
  atEnd(async () => reader.stop());
  await waitFor(() => seen.length === 10, 5000, 'the rest');
  expect(seen).toEqual([15, 16, 17, 18, 19, 20, 21, 22, 23, 24]);
});

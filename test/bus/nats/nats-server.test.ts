import { expect, onTestFinished, test } from 'vitest';
import { replay } from '../../../bus/nats/jetstream.ts';
import { logs } from '../../../bus/subjects.ts';
import { startTestBus } from '../../support/bus.ts';

const entry = (n: number) => ({
  level: 'info' as const,
  time: n,
  msg: `entry ${n}`,
  src: 'app',
  monitorID: '',
});

test('a killed server is back on the same port with what it had, and a reader goes on where it was', async () => {
  const { server, bus } = await startTestBus();
  const seen: number[] = [];
  let arrived: (() => void) | undefined;
  const reader = replay(bus, 'LOGS', logs, 1, ({ message, sequence }) => {
    seen.push(sequence);
    expect(message?.time).toBe(sequence);
    arrived?.();
  });
  onTestFinished(() => reader.stop());
  const until = (count: number) =>
    new Promise<void>((resolve) => {
      arrived = () => seen.length >= count && resolve();
      arrived();
    });

  for (let n = 1; n <= 20; n += 1) await bus.store(logs, ['info', 'app', ''], entry(n), `id${n}`);
  await until(20);

  const killed = server.pid;
  const back = new Promise<void>((resolve) => {
    bus.onReconnect(resolve);
  });
  process.kill(killed, 'SIGKILL');
  await back;
  expect(server.pid).not.toBe(killed);
  for (let n = 21; n <= 40; n += 1) await bus.store(logs, ['info', 'app', ''], entry(n), `id${n}`);
  await until(40);
  expect(seen).toEqual(Array.from({ length: 40 }, (_, index) => index + 1));
});

test('a restart that is requested as soon as clients are back is not lost', async () => {
  const { server, bus } = await startTestBus();
  const maxRestarts = 20;
  let restarts = 0;
  await new Promise<void>((resolve) => {
    const again = () => {
      if (restarts === maxRestarts) return resolve();
      restarts += 1;
      server.restart();
    };
    bus.onReconnect(again);
    again();
  });
  expect(restarts).toBe(maxRestarts);
}, 20_000);

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { Bus } from '../../bus/connection.ts';
import { Logger } from '../../bus/log.ts';
import { type BusServer, startBusServer } from '../../bus/server.ts';
import { ensureStreams, replay } from '../../bus/streams.ts';
import { logs } from '../../bus/subjects.ts';

async function startServer(): Promise<BusServer> {
  const dir = await mkdtemp(join(tmpdir(), 'sentrybus-'));
  const server = await startBusServer({ dir, log: new Logger(() => {}).source('app') });
  onTestFinished(async () => {
    await server.stop();
    await rm(dir, { recursive: true });
  });
  return server;
}

async function connect(server: BusServer, name: string): Promise<Bus> {
  const bus = await Bus.connect(server.address, name);
  onTestFinished(() => bus.close());
  return bus;
}

const entry = (n: number) => ({
  level: 'info' as const,
  time: n,
  msg: `entry ${n}`,
  src: 'app',
  monitorID: '',
});

test('a killed server is back on the same port with what it had, and a reader goes on where it was', async () => {
  const server = await startServer();
  const bus = await connect(server, 'test');
  await ensureStreams(bus);
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

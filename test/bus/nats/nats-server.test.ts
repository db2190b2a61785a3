import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { Bus } from '../../../bus/nats/bus.ts';
import { machineToken } from '../../../bus/nats/control/machine-token.ts';
import { ensureStreams, replay, streamRange } from '../../../bus/nats/jetstream.ts';
import { embeddedBus, type NatsServer, startNatsServer } from '../../../bus/nats/nats-server.ts';
import { logs } from '../../../bus/subjects.ts';
import { silentLogger, startTestBus } from '../../support/bus.ts';
import { temporaryFolder } from '../../support/folder.ts';

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

test('a server that dies again and again soon after it was ready is restarted after longer and longer pauses', async () => {
  const [died, back]: [number[], number[]] = [[], []];
  const log = {
    ...silentLogger().source('app'),
    error: (message: string) => {
      if (message.endsWith('restarting it')) died.push(performance.now());
    },
    info: () => {
      back.push(performance.now());
      if (back.length < 5) process.kill(server.pid, 'SIGKILL');
    },
  };
  const server: NatsServer = await startNatsServer({ dir: await temporaryFolder(), log });
  onTestFinished(() => server.stop());
  process.kill(server.pid, 'SIGKILL');
  await expect.poll(() => back.length, { timeout: 20_000 }).toBe(5);
  const pauses = back.map((at, index) => at - (died[index] ?? at));
  // The second death that follows another one costs a tenth of a second, each further one twice as much.
  for (const [index, leastMs] of [100, 200, 400, 800].entries()) {
    expect(pauses[index + 1]).toBeGreaterThan(leastMs - 5);
  }
}, 30_000);

test('the bus of a machine that becomes one of several keeps its streams, and is read by its domain', async () => {
  const dir = await temporaryFolder();
  const start = async (kind = embeddedBus()) => {
    const server = await startNatsServer({ dir, log: silentLogger().source('app'), kind });
    onTestFinished(() => server.stop());
    const bus = await Bus.connect(server.address, 'test');
    onTestFinished(() => bus.close());
    await ensureStreams(bus);
    return { server, bus };
  };
  const alone = await start();
  for (let n = 1; n <= 3; n += 1) await alone.bus.store(logs, ['info', 'app', ''], entry(n), `id${n}`);
  const before = await streamRange(alone.bus, 'LOGS');
  await alone.bus.close();
  await alone.server.stop();
  const domain = machineToken('nvr1.example');
  const member = await start(embeddedBus({ domain, config: '' }));
  expect(before).toMatchObject({ first: 1, last: 3 });
  expect(await streamRange(member.bus, 'LOGS')).toEqual(before);
  expect(await streamRange(member.bus, 'LOGS', domain)).toEqual(before);
  await member.bus.close();
  await member.server.stop();
  expect(await streamRange((await start()).bus, 'LOGS')).toEqual(before);
});

test('a client that gets no turn for three seconds before it logs in is let in', async () => {
  const { server } = await startTestBus();
  const [address = ''] = server.address.servers;
  const [host, port] = address.split(':');
  const socket = connect({ host, port: Number(port) });
  onTestFinished(() => void socket.destroy());
  const heard: string[] = [];
  socket.setEncoding('utf8').on('data', (text: string) => heard.push(text));
  await once(socket, 'connect');
  await pause(3000);
  const login = { verbose: false, pedantic: false, lang: 'test', auth_token: server.address.token };
  socket.write(`CONNECT ${JSON.stringify(login)}\r\nPING\r\n`);
  await expect.poll(() => heard.join(''), { timeout: 5000 }).toMatch(/PONG/);
  expect(heard.join('')).not.toMatch(/-ERR/);
});

import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { nowUs } from '../../../bus/base/time.ts';
import { Bus } from '../../../bus/nats/bus.ts';
import { openTap } from '../../../bus/nats/bus-tap.ts';
import { ensureStreams, replay, streamRange } from '../../../bus/nats/jetstream.ts';
import type { NatsServer } from '../../../bus/nats/nats-server.ts';
import { logs } from '../../../bus/subjects.ts';
import { startTestBus } from '../../support/bus.ts';
import { atEnd } from '../../support/cleanup.ts';
import { startForgetfulBus } from '../../support/forgetful-bus.ts';
import { lossyLink } from '../../support/lossy-link.ts';
import { waitFor } from '../../support/wait.ts';

async function restart(server: NatsServer, bus: Bus): Promise<void> {
  const back = new Promise<void>((resolve) => {
    bus.onReconnect(resolve);
  });
  server.restart();
  await back;
}

test('a stream of an older version is brought up to date and stays the same stream through every restart', async () => {
  const { server, bus } = await startTestBus();
  const manager = await bus.jetStream.manager;
  const { identity } = await streamRange(bus, 'LOGS');
  const current = (await manager.streams.info('LOGS')).config.max_bytes;
  for (let round = 0; round < 3; round += 1) {
    await manager.streams.update('LOGS', { max_bytes: 1_000_000 });
    await ensureStreams(bus);
    expect((await manager.streams.info('LOGS')).config.max_bytes).toBe(current);
    await restart(server, bus);
    await ensureStreams(bus);
    expect((await streamRange(bus, 'LOGS')).identity).toBe(identity);
  }
});

test('a stream that was made anew is another one', async () => {
  const { bus } = await startTestBus();
  const manager = await bus.jetStream.manager;
  const { identity } = await streamRange(bus, 'LOGS');
  await manager.streams.delete('LOGS');
  await ensureStreams(bus);
  expect((await streamRange(bus, 'LOGS')).identity).not.toBe(identity);
});

test('a stream that cannot be read is tried again after longer and longer pauses', async () => {
  const { server, bus } = await startTestBus();
  const manager = await bus.jetStream.manager;
  await manager.streams.delete('LOGS');
  let attempts = 0;
  const tap = await openTap(server.address, '$JS.API.STREAM.INFO.LOGS', () => {
    attempts += 1;
  });
  atEnd(() => tap.close());
  const read: (string | undefined)[] = [];
  const reading = replay(bus, 'LOGS', logs, 1, ({ message }) => void read.push(message?.msg));
  atEnd(async () => reading.stop());
  const turns = 30;
  for (let turn = 0; turn < turns; turn += 1) await sleep(100);
  expect(attempts).toBeGreaterThan(1);
  expect(attempts).toBeLessThan(turns / 2);
  await ensureStreams(bus);
  const entry = { level: 'info', time: nowUs(), msg: 'at last', src: 'app', monitorID: '' } as const;
  await bus.store(logs, ['info', 'app', '_'], entry, 'at last');
  await waitFor(() => read.length === 1, 10_000, 'the entry');
});

/** Reads all log entries of a bus. */
function readLogs(bus: Bus) {
  const read: (string | undefined)[] = [];
  const reading = replay(bus, 'LOGS', logs, 1, ({ message }) => void read.push(message?.msg));
  atEnd(async () => reading.stop());
  const log = async (...texts: string[]) => {
    for (const msg of texts) {
      const entry = { level: 'info', time: nowUs(), msg, src: 'app', monitorID: '' } as const;
      await bus.store(logs, ['info', 'app', '_'], entry, msg);
    }
  };
  const until = (count: number) => waitFor(() => read.length >= count, 10_000, `${count} entries`);
  return { read, log, until };
}

test('a stream that was made anew is read from its beginning', async () => {
  const { server, bus } = await startTestBus();
  const { read, log, until } = readLogs(bus);
  await log('old 1', 'old 2');
  await until(2);
  const manager = await bus.jetStream.manager;
  await manager.streams.delete('LOGS');
  await ensureStreams(bus);
  await log('new');
  await restart(server, bus);
  await until(3);
  expect(read).toEqual(['old 1', 'old 2', 'new']);
});

test('messages with the numbers of those that a power cut has taken are read', async () => {
  const { server, bus, remember } = await startForgetfulBus();
  const { read, log, until } = readLogs(bus);
  await log('kept');
  remember();
  await log('lost 1', 'lost 2', 'lost 3');
  await until(4);
  await restart(server, bus);
  await log('new');
  await until(5);
  expect(read).toEqual(['kept', 'lost 1', 'lost 2', 'lost 3', 'new']);
});

test('a message of another machine that was lost on its way ends the replay, although none follows', async () => {
  const { server, bus } = await startTestBus('far');
  const [address = ''] = server.address.servers;
  const link = await lossyLink(Number(address.split(':')[1]), 'the second');
  const reader = await Bus.connect({ ...server.address, servers: [link] }, 'reader');
  atEnd(() => reader.close());
  const log = (msg: string) =>
    bus.store(
      logs,
      ['info', 'app', '_'],
      { level: 'info', time: nowUs(), msg, src: 'app', monitorID: '' },
      msg,
    );
  const read: (string | undefined)[] = [];
  const interrupted = new Promise<void>((resolve) => {
    const deliver = ({ message }: { readonly message: { readonly msg: string } | undefined }) => {
      read.push(message?.msg);
      if (read.length === 1) void log('the second');
    };
    replay(reader, 'LOGS', logs, 1, deliver, { domain: 'far', onInterrupted: resolve });
  });
  await log('the first');
  await interrupted;
  expect(read).toEqual(['the first']);
});

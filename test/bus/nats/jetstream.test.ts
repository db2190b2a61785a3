import { expect, test } from 'vitest';
import type { Bus } from '../../../bus/nats/bus.ts';
import { ensureStreams, streamRange } from '../../../bus/nats/jetstream.ts';
import type { NatsServer } from '../../../bus/nats/nats-server.ts';
import { startTestBus } from '../../support/bus.ts';

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

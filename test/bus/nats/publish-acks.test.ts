import { connect } from '@nats-io/transport-node';
import { expect, test } from 'vitest';
import { ensureStreams } from '../../../bus/nats/jetstream.ts';
import { PublishAcks } from '../../../bus/nats/publish-acks.ts';
import { startTestBus } from '../../support/bus.ts';

const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;

test('a message that was acknowledged leaves no timer', async () => {
  const { server, bus } = await startTestBus();
  await ensureStreams(bus);
  const { servers, token = '' } = server.address;
  const connection = await connect({ servers: [...servers], token });
  const acks = new PublishAcks(connection);
  await connection.flush();
  const before = timers();
  await acks.publish('events.door.motion', Buffer.from('{}'), 'one');
  expect(timers()).toBeLessThanOrEqual(before);
  await connection.close();
});

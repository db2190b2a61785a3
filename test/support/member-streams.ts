import { join } from 'node:path';
import type { Channel } from '../../bus/channel.ts';
import { Bus } from '../../bus/nats/bus.ts';
import { readBusAddress } from '../../bus/nats/bus-address-file.ts';
import { replay, type StreamName, streamRange } from '../../bus/nats/jetstream.ts';
import type { ClusterRecorder } from './cluster.ts';
import type { Place } from './lab.ts';

/** A message of a stream, and when the bus has stored it: Unix time in microseconds. */
interface Stored<T> {
  readonly message: T;
  readonly storedAt: number;
}

/** All that a machine has published in one of its own streams. @param place where it has a network of its own. */
export async function readStream<Tokens extends readonly string[], Message>(
  { name, recorder }: ClusterRecorder,
  stream: StreamName,
  channel: Channel<Tokens, Message>,
  place?: Place,
): Promise<Stored<Message>[]> {
  const address = await readBusAddress(join(recorder.folder, 'storage', 'bus'));
  if (!address) throw new Error(`${name} has no bus`);
  const reach = async (server: string) => (place ? place.reach(`nats://${server}`) : server);
  const servers = await Promise.all(address.servers.map(reach));
  const bus = await Bus.connect({ ...address, servers }, 'test');
  const { last } = await streamRange(bus, stream);
  const read: Stored<Message>[] = [];
  await new Promise<void>((resolve) => {
    if (last === 0) return resolve();
    const reading = replay(bus, stream, channel, 1, ({ message, sequence, storedAt }) => {
      if (message) read.push({ message, storedAt });
      if (sequence < last) return;
      reading.stop();
      resolve();
    });
  });
  await bus.close();
  return read;
}

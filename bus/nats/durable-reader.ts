import { AckPolicy, type ConsumerMessages, DeliverPolicy } from '@nats-io/jetstream';
import type { Channel } from '../channel.ts';
import type { Lease } from '../leases.ts';
import type { Bus } from './bus.ts';
import type { Replayed, StreamName } from './jetstream.ts';

/** A message that the server redelivers until it is acknowledged. */
export interface DurableMessage<Message> extends Replayed<Message> {
  confirm(): void;
  /** Extends the lease, because the message is still being processed. */
  extend(): void;
}

export interface DurableReader<Message> extends AsyncIterable<DurableMessage<Message>> {
  /** Sequence number of the last acknowledged message; 0 if there is none. */
  readonly confirmed: number;
  /** Ends the iteration. */
  close(): void;
}

/**
 * Reads a stream one message at a time, from the saved position of the reader with this name, or from now on if there is
 * none. The server keeps the position. The iteration ends when the bus was unreachable; the caller then opens it again.
 *
 * @param lease the message is redelivered after `expireMs` without an acknowledgement or extension.
 * @throws if the bus does not answer.
 */
export async function openDurableReader<Message>(
  bus: Bus,
  stream: StreamName,
  channel: Pick<Channel<never, Message>, 'tryDecode'>,
  name: string,
  lease: Lease,
): Promise<DurableReader<Message>> {
  const { client, manager } = bus.jetStream;
  const { ack_floor } = await (await manager).consumers.add(stream, {
    durable_name: name,
    deliver_policy: DeliverPolicy.New,
    ack_policy: AckPolicy.Explicit,
    ack_wait: lease.expireMs * 1e6,
    // One message at a time keeps the order, also if one is redelivered.
    max_ack_pending: 1,
  });
  const consumer = await client.consumers.get(stream, name);
  const messages = await consumer.consume({ max_messages: 16, expires: 5000 });
  const close = () => void messages.close();
  const forgetReconnect = bus.onReconnect(close);
  return {
    confirmed: ack_floor.stream_seq,
    close,
    [Symbol.asyncIterator]: () => iterate(messages, channel, forgetReconnect),
  };
}

/** Deletes a durable reader, and with it the server's record of its position. */
export async function forgetDurableReader(bus: Bus, stream: StreamName, name: string): Promise<void> {
  const manager = await bus.jetStream.manager;
  // Fails if the reader never existed.
  await manager.consumers.delete(stream, name).catch(() => {});
}

async function* iterate<Message>(
  messages: ConsumerMessages,
  channel: Pick<Channel<never, Message>, 'tryDecode'>,
  ended: () => void,
): AsyncGenerator<DurableMessage<Message>> {
  try {
    for await (const incoming of messages) {
      yield {
        message: channel.tryDecode(incoming.data),
        sequence: incoming.seq,
        storedAt: Number(incoming.timestampNanos / 1000n),
        confirm: () => incoming.ack(),
        extend: () => incoming.working(),
      };
    }
  } finally {
    ended();
  }
}

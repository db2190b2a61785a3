import { AckPolicy, type ConsumerMessages, DeliverPolicy } from '@nats-io/jetstream';
import type { Channel } from '../channel.ts';
import type { Lease } from '../leases.ts';
import type { Bus } from './bus.ts';
import type { Replayed, StreamName } from './jetstream.ts';

/** A message that the server delivers again until it is confirmed. */
export interface DurableMessage<Message> extends Replayed<Message> {
  confirm(): void;
  /** It is being worked on: the server goes on waiting. */
  extend(): void;
}

export interface DurableReader<Message> extends AsyncIterable<DurableMessage<Message>> {
  /** The place of the last message that was confirmed; 0 when none was. */
  readonly confirmed: number;
  /** Ends the iteration. */
  close(): void;
}

/**
 * Reads a stream one message at a time, from now on or from where the reader of this name was; the server remembers how
 * far that is. The iteration ends when the bus was unreachable: open it again then.
 *
 * @param lease after its `expireMs` without a confirmation or extension the message is delivered again.
 * @throws when the bus does not answer.
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
    // One at a time keeps the order, also when one has to be delivered again.
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

/** Lets the server forget how far a reader has come. */
export async function forgetDurableReader(bus: Bus, stream: StreamName, name: string): Promise<void> {
  const manager = await bus.jetStream.manager;
  // There is none where the reader was never there.
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

import { AckPolicy, type ConsumerMessages, DeliverPolicy, JetStreamApiError } from '@nats-io/jetstream';
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

export interface DurableReaderOptions {
  readonly stream: StreamName;
  /** The server keeps the reader's position under this name. */
  readonly name: string;
  /** A message is redelivered after `expireMs` without an acknowledgement or extension. */
  readonly lease: Lease;
  /** How many messages may be delivered before the first of them is acknowledged. */
  readonly maxPending: number;
  /**
   * Sequence number of the last message that can have been read: what the saved position has beyond it, the stream has lost, and
   * gives its number to others.
   */
  readonly readUpTo: number;
}

/**
 * Reads a stream in its order, from the saved position of the reader with this name, or after `readUpTo` if there is none. The
 * server keeps the position: that of the first message that is not acknowledged, from which on all come again. The iteration
 * ends when the bus was unreachable; the caller then opens it again.
 *
 * @throws if the bus does not answer.
 */
export async function openDurableReader<Message>(
  bus: Bus,
  channel: Pick<Channel<never, Message>, 'tryDecode'>,
  options: DurableReaderOptions,
): Promise<DurableReader<Message>> {
  const { stream } = options;
  const { name, confirmed } = await resume(bus, options);
  const consumer = await bus.jetStream.client.consumers.get(stream, name);
  const messages = await consumer.consume({ max_messages: Math.max(16, options.maxPending), expires: 5000 });
  const close = () => void messages.close();
  const forgetReconnect = bus.onReconnect(close);
  return {
    confirmed,
    close,
    [Symbol.asyncIterator]: () => iterate(messages, channel, forgetReconnect),
  };
}

/**
 * Messages that were delivered earlier and not acknowledged would come again only after their lease, and after newer ones.
 * A consumer of the other name therefore takes over at the first of them, before the old one is deleted: whenever this is
 * interrupted, the position is kept.
 */
async function resume(
  bus: Bus,
  { stream, name, lease, maxPending, readUpTo }: DurableReaderOptions,
): Promise<{ name: string; confirmed: number }> {
  const { consumers } = await bus.jetStream.manager;
  const wanted = {
    ack_policy: AckPolicy.Explicit,
    ack_wait: lease.expireMs * 1e6,
    max_ack_pending: maxPending,
  };
  const after = (sequence: number) => ({
    deliver_policy: DeliverPolicy.StartSequence,
    opt_start_seq: sequence + 1,
  });
  const info = (each: string) =>
    consumers.info(stream, each).catch((error: Error) => {
      if (isMissing(error)) return undefined;
      throw error;
    });
  const [one, other] = await Promise.all([info(name), info(spare(name))]);
  const newest = !one || (other && other.ack_floor.stream_seq >= one.ack_floor.stream_seq) ? other : one;
  if (!newest) {
    await consumers.add(stream, { durable_name: name, ...after(readUpTo), ...wanted });
    return { name, confirmed: readUpTo };
  }
  const saved = newest.ack_floor.stream_seq;
  const confirmed = Math.min(saved, readUpTo);
  const isUnread =
    newest.num_ack_pending === 0 && newest.config.max_ack_pending === maxPending && confirmed === saved;
  const used = newest.name;
  if (isUnread && !(one && other)) return { name: used, confirmed };
  const free = used === name ? spare(name) : name;
  await consumers.delete(stream, free).catch(() => {});
  await consumers.add(stream, { durable_name: free, ...after(confirmed), ...wanted });
  await consumers.delete(stream, used).catch(() => {});
  return { name: free, confirmed };
}

const spare = (name: string) => `${name}-2`;
const isMissing = (error: Error) => error instanceof JetStreamApiError && error.code === 10_014;

/** Deletes a durable reader, and with it the server's record of its position. */
export async function forgetDurableReader(bus: Bus, stream: StreamName, name: string): Promise<void> {
  const manager = await bus.jetStream.manager;
  // Fails if the reader never existed.
  for (const each of [name, spare(name)]) await manager.consumers.delete(stream, each).catch(() => {});
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

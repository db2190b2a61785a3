import { setTimeout as sleep } from 'node:timers/promises';
import {
  type ConsumerMessages,
  DeliverPolicy,
  DiscardPolicy,
  RetentionPolicy,
  type StreamConfig,
} from '@nats-io/jetstream';
import { nuid } from '@nats-io/transport-node';
import type { Channel } from '../channel.ts';
import type { Bus } from './bus.ts';

/** The streams: what the bus keeps on disk until its readers have it. Each is bounded; the oldest goes first. */
export type StreamName = 'LOGS' | 'EVENTS' | 'OBJECTS' | 'RECORDINGS' | 'DELIVERIES' | 'HISTORY' | 'STATUS';

const dayNs = 24 * 60 * 60 * 1e9;
const megabyte = 1024 * 1024;

const streams: Readonly<Record<StreamName, Partial<StreamConfig>>> = {
  LOGS: { subjects: ['logs.>'], max_bytes: 512 * megabyte, max_age: 30 * dayNs },
  EVENTS: { subjects: ['events.>'], max_bytes: 256 * megabyte, max_age: 30 * dayNs },
  OBJECTS: { subjects: ['objects.>'], max_bytes: 64 * megabyte, max_age: 30 * dayNs },
  RECORDINGS: { subjects: ['recordings.>'], max_bytes: 64 * megabyte, max_age: 30 * dayNs },
  DELIVERIES: { subjects: ['deliveries.>'], max_bytes: 64 * megabyte, max_age: 30 * dayNs },
  HISTORY: { subjects: ['history.>'], max_bytes: 16 * megabyte, max_age: 30 * dayNs },
  // A status is worth only as much as it is new.
  STATUS: { subjects: ['status.>'], max_bytes: 16 * megabyte, max_msgs_per_subject: 1 },
};

/** The bus cannot keep a stream. */
class StreamError extends Error {
  override readonly name = 'StreamError';
  readonly code = 'bus_stream_failed';
}

/**
 * Makes the streams that are missing and brings the others up to date.
 *
 * @throws {StreamError}
 */
export async function ensureStreams(bus: Bus): Promise<void> {
  const manager = await bus.jetStream.manager;
  for (const [name, config] of Object.entries(streams)) {
    const whole = { name, retention: RetentionPolicy.Limits, discard: DiscardPolicy.Old, ...config };
    try {
      const known = await manager.streams.info(name).catch(() => undefined);
      if (!known) await manager.streams.add({ ...whole, description: nuid.next() });
      else if (differs(known.config, whole)) await manager.streams.update(name, whole);
    } catch (cause) {
      throw new StreamError(`the bus cannot keep its stream ${name}: ${(cause as Error).message}`, { cause });
    }
  }
}

function differs(known: Partial<StreamConfig>, wanted: Partial<StreamConfig>): boolean {
  const keys = Object.keys(wanted) as (keyof StreamConfig)[];
  return keys.some((key) => JSON.stringify(known[key]) !== JSON.stringify(wanted[key]));
}

/** Whether the server keeps streams now. One whose disk was full stops doing so, for good. */
export async function keepsStreams(bus: Bus): Promise<boolean> {
  const manager = await bus.jetStream.manager;
  return manager.streams.info('LOGS').then(
    () => true,
    () => false,
  );
}

/** Removes what a stream holds of one subject. */
export async function forgetSubject(bus: Bus, stream: StreamName, subject: string): Promise<void> {
  const manager = await bus.jetStream.manager;
  await manager.streams.purge(stream, { filter: subject });
}

/** What a stream holds now. */
export interface StreamRange {
  readonly first: number;
  /** 0 when nothing was ever stored. */
  readonly last: number;
  /**
   * Another one means that it is another stream. Our own mark: the server's time of creation changes with the second
   * restart after an update of the stream (nats-server 2.9).
   */
  readonly identity: string;
}

export async function streamRange(bus: Bus, stream: StreamName): Promise<StreamRange> {
  const manager = await bus.jetStream.manager;
  const { state, config, created } = await manager.streams.info(stream);
  return { first: state.first_seq, last: state.last_seq, identity: config.description ?? created };
}

/**
 * The last message on these subjects that the stream still holds.
 *
 * @returns undefined when there is none, or it does not have the channel's shape.
 * @throws when the bus is away.
 */
export async function lastStored<Tokens extends readonly string[], Message>(
  bus: Bus,
  stream: StreamName,
  channel: Channel<Tokens, Message>,
  tokens: Tokens,
): Promise<Message | undefined> {
  const manager = await bus.jetStream.manager;
  const found = await manager.streams.getMessage(stream, { last_by_subj: channel.subject(...tokens) });
  return found ? channel.tryDecode(found.data) : undefined;
}

/**
 * The place of the newest message that the stream took before this moment, Unix time in microseconds.
 *
 * @returns undefined when the stream holds nothing newer.
 */
export async function lastSequenceBefore(
  bus: Bus,
  stream: StreamName,
  timeUs: number,
): Promise<number | undefined> {
  const consumer = await bus.jetStream.client.consumers.get(stream, {
    deliver_policy: DeliverPolicy.StartTime,
    opt_start_time: new Date(timeUs / 1000).toISOString(),
  });
  const next = await consumer.next({ expires: 1000 });
  await consumer.delete();
  return next ? next.seq - 1 : undefined;
}

export interface Replayed<Message> {
  /** Undefined when what is stored does not have the channel's shape. */
  readonly message: Message | undefined;
  /** Its place in the stream. Places may be missing, where the stream has let the oldest go. */
  readonly sequence: number;
  /** When the bus took it: Unix time in microseconds. */
  readonly storedAt: number;
}

export interface Replay {
  /** Ends it; no message is delivered afterwards. */
  stop(): void;
}

/**
 * Delivers every message of a stream in order, beginning with the place `from`, and goes on with what comes new.
 *
 * It holds no state on the server: whoever calls it remembers the last place that it has dealt with. After the
 * bus was away it goes on by itself behind the last message delivered.
 *
 * @param deliver is awaited, so a slow reader slows only itself. When it rejects, the same message comes again.
 */
export function replay<Tokens extends readonly string[], Message>(
  bus: Bus,
  stream: StreamName,
  channel: Channel<Tokens, Message>,
  from: number,
  deliver: (replayed: Replayed<Message>) => Promise<void> | void,
): Replay {
  let next = Math.max(1, from);
  let stopped = false;
  let messages: ConsumerMessages | undefined;
  // A consumer that lives in a server's memory dies with it. Beginning anew at once is quicker than the client
  // library's own recovery, which waits for missed heartbeats.
  const forgetReconnect = bus.onReconnect(() => void messages?.close());
  void run();
  return {
    stop() {
      stopped = true;
      forgetReconnect();
      void messages?.close();
    },
  };

  async function run(): Promise<void> {
    while (!stopped) {
      try {
        const consumer = await bus.jetStream.client.consumers.get(stream, {
          deliver_policy: DeliverPolicy.StartSequence,
          opt_start_seq: next,
          inactive_threshold: 60_000 * 1e6,
        });
        messages = await consumer.consume({ max_messages: 4000 });
        for await (const incoming of messages) {
          if (stopped) break;
          if (incoming.seq < next) continue;
          const storedAt = Number(incoming.timestampNanos / 1000n);
          await deliver({ message: channel.tryDecode(incoming.data), sequence: incoming.seq, storedAt });
          next = incoming.seq + 1;
        }
      } catch {
        // The bus is away, or the reader failed: both pass.
      }
      if (!stopped) await sleep(100);
    }
  }
}

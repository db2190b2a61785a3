import { setTimeout as sleep } from 'node:timers/promises';
import {
  type ConsumerMessages,
  DeliverPolicy,
  DiscardPolicy,
  RetentionPolicy,
  type StreamConfig,
} from '@nats-io/jetstream';
import { nuid } from '@nats-io/transport-node';
import { backoffDelay } from '../base/backoff.ts';
import { nowUs } from '../base/time.ts';
import type { Channel } from '../channel.ts';
import type { Bus } from './bus.ts';

/** The streams: messages kept on disk until their readers have them. Each is bounded; the oldest messages go first. */
export type StreamName =
  | 'LOGS'
  | 'EVENTS'
  | 'OBJECTS'
  | 'RECORDINGS'
  | 'DELIVERIES'
  | 'HISTORY'
  | 'STATUS'
  | 'TENURES';

const dayNs = 24 * 60 * 60 * 1e9;
const megabyte = 1024 * 1024;
/** A reader asks the server for messages again after this long, and the server shows that it is there at half of it. */
const pullMs = 60_000;
const forgottenMs = 5 * pullMs;
/** The same of another machine's stream: whether that is there is only noticed by what it sends. */
const remotePullMs = 6000;
/** Between two attempts to read a stream, while none lasts longer than the longest pause. */
const againPause = { minMs: 50, maxMs: 2000 };
/** What the library reports of a consumer that does not answer, or is no longer there. */
const interruptions: ReadonlySet<string> = new Set([
  ...['heartbeats_missed', 'consumer_not_found', 'consumer_deleted', 'stream_not_found', 'no_responders'],
  ...['ordered_consumer_recreated', 'reset'],
]);

const streams: Readonly<Record<StreamName, Partial<StreamConfig>>> = {
  LOGS: { subjects: ['logs.>'], max_bytes: 512 * megabyte, max_age: 30 * dayNs },
  // Half a million is a day at six a second; of the usual size, they fill these bytes as well.
  EVENTS: { subjects: ['events.>'], max_bytes: 256 * megabyte, max_age: 30 * dayNs, max_msgs: 500_000 },
  OBJECTS: { subjects: ['objects.>'], max_bytes: 64 * megabyte, max_age: 30 * dayNs },
  RECORDINGS: { subjects: ['recordings.>'], max_bytes: 64 * megabyte, max_age: 30 * dayNs },
  DELIVERIES: { subjects: ['deliveries.>'], max_bytes: 64 * megabyte, max_age: 30 * dayNs },
  HISTORY: { subjects: ['history.>'], max_bytes: 16 * megabyte, max_age: 30 * dayNs },
  // Only the latest status of a monitor is of use.
  STATUS: { subjects: ['status.>'], max_bytes: 16 * megabyte, max_msgs_per_subject: 1 },
  TENURES: { subjects: ['tenures.>'], max_bytes: 16 * megabyte, max_age: 30 * dayNs },
};
/** Those that only one of several machines has. */
const ofSites: readonly string[] = ['TENURES'];

/** The bus refused to create or update a stream. */
class StreamError extends Error {
  override readonly name = 'StreamError';
  readonly code = 'bus_stream_failed';
}

/**
 * Creates missing streams and updates the configuration of the others.
 *
 * @param isOfSite whether this machine is one of several.
 * @throws {StreamError}
 */
export async function ensureStreams(bus: Bus, isOfSite = false): Promise<void> {
  const manager = await bus.jetStream.manager;
  const ensure = async ([name, config]: [string, Partial<StreamConfig>]) => {
    const whole = { name, retention: RetentionPolicy.Limits, discard: DiscardPolicy.Old, ...config };
    try {
      const known = await manager.streams.info(name).catch(() => undefined);
      if (!known) await manager.streams.add({ ...whole, description: nuid.next() });
      else if (differs(known.config, whole)) await manager.streams.update(name, whole);
    } catch (cause) {
      throw new StreamError(`the bus cannot keep its stream ${name}: ${(cause as Error).message}`, { cause });
    }
  };
  const wanted = Object.entries(streams).filter(([name]) => isOfSite || !ofSites.includes(name));
  await Promise.all(wanted.map(ensure));
}

function differs(known: Partial<StreamConfig>, wanted: Partial<StreamConfig>): boolean {
  const keys = Object.keys(wanted) as (keyof StreamConfig)[];
  return keys.some((key) => JSON.stringify(known[key]) !== JSON.stringify(wanted[key]));
}

/** Whether the server stores messages now. After its disk was full, nats-server stops doing so until it is restarted. */
export async function keepsStreams(bus: Bus): Promise<boolean> {
  const manager = await bus.jetStream.manager;
  return manager.streams.info('LOGS').then(
    () => true,
    () => false,
  );
}

/** Removes the messages of one subject from a stream. */
export async function forgetSubject(bus: Bus, stream: StreamName, subject: string): Promise<void> {
  const manager = await bus.jetStream.manager;
  await manager.streams.purge(stream, { filter: subject });
}

/** The first and last sequence numbers that a stream holds now. */
export interface StreamRange {
  readonly first: number;
  /** 0 if nothing was ever stored. */
  readonly last: number;
  /**
   * Changes when the stream was created anew. Our own mark, because the server's creation time (`created`) changes at the
   * second restart after an update of the stream (nats-server 2.9).
   */
  readonly identity: string;
}

/** @param domain of the machine whose stream it is, if not of the server that `bus` is connected to. */
export async function streamRange(bus: Bus, stream: StreamName, domain?: string): Promise<StreamRange> {
  const manager = await bus.jetStreamOf(domain).manager;
  const { state, config, created } = await manager.streams.info(stream);
  return { first: state.first_seq, last: state.last_seq, identity: config.description ?? created };
}

/** The last sequence number of each stream that every machine has, at one time. */
export type StreamEnds = Readonly<Partial<Record<StreamName, number>>>;

/** The ends as they are now: what is stored later has higher numbers. @throws if the bus is unreachable. */
export async function streamEnds(bus: Bus): Promise<StreamEnds> {
  const names = (Object.keys(streams) as StreamName[]).filter((name) => !ofSites.includes(name));
  const ends = names.map(async (name) => [name, (await streamRange(bus, name)).last] as const);
  return Object.fromEntries(await Promise.all(ends)) as StreamEnds;
}

/**
 * The last message on these subjects that the stream still holds.
 *
 * @returns undefined if there is none, or if it does not have the channel's shape.
 * @throws if the bus is unreachable.
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

/** @returns the sequence number of the newest message stored before a Unix time in microseconds; undefined if no newer one is there. */
async function lastSequenceBefore(
  bus: Bus,
  stream: StreamName,
  timeUs: number,
  domain: string | undefined,
): Promise<number | undefined> {
  const consumer = await bus.jetStreamOf(domain).client.consumers.get(stream, {
    deliver_policy: DeliverPolicy.StartTime,
    opt_start_time: new Date(timeUs / 1000).toISOString(),
  });
  const next = await consumer.next({ expires: 1000 });
  await consumer.delete();
  return next ? next.seq - 1 : undefined;
}

/** The newest message of a stream that has been read. */
export type StreamPlace = Pick<StreamRange, 'identity'> & Pick<Replayed<unknown>, 'sequence' | 'storedAt'>;

/**
 * The last sequence number of what has been read, in the stream as it is now: one that was made anew, or that has lost its newest
 * messages, gives their numbers to others.
 *
 * @param domain of the machine whose stream it is, if not of the server that `bus` is connected to.
 * @throws if the bus is unreachable.
 */
export async function placeIn(
  bus: Bus,
  stream: StreamName,
  { identity, last }: StreamRange,
  read: StreamPlace,
  domain?: string,
): Promise<number> {
  if (identity !== read.identity) return 0;
  if (last >= read.sequence) return read.sequence;
  return (await lastSequenceBefore(bus, stream, read.storedAt, domain)) ?? last;
}

export interface Replayed<Message> {
  /** Undefined if the stored message does not have the channel's shape. */
  readonly message: Message | undefined;
  /** The message's sequence number in the stream. Numbers are missing where the stream has removed its oldest messages. */
  readonly sequence: number;
  /** Time at which the bus stored the message: Unix time in microseconds. */
  readonly storedAt: number;
}

export interface Replay {
  /** Ends the replay; no message is delivered afterwards. */
  stop(): void;
}

/** The stream of another machine, which may be offline, and come back as another one. */
export interface RemoteStream {
  readonly domain: string;
  /** Called once: the replay was interrupted, and has ended. */
  onInterrupted(): void;
}

/**
 * Delivers every message of a stream in order, from sequence number `from` on, and then each new message as it arrives.
 *
 * No state is held on the server: the caller remembers the last sequence number that it has processed. After an outage of
 * the bus, the replay continues by itself after the last message delivered, also in a stream that was made anew or has lost
 * its newest messages meanwhile; that of a remote stream ends.
 *
 * @param deliver is awaited, so a slow reader slows only itself. If it rejects, the same message is delivered again.
 */
export function replay<Tokens extends readonly string[], Message>(
  bus: Bus,
  stream: StreamName,
  channel: Channel<Tokens, Message>,
  from: number,
  deliver: (replayed: Replayed<Message>) => Promise<void> | void,
  remote?: RemoteStream,
): Replay {
  let next = Math.max(1, from);
  let identity: string | undefined;
  let readAt = nowUs();
  let stopped = false;
  let messages: ConsumerMessages | undefined;
  // The consumer is in the server's memory and dies with the server. A new one at once is quicker than the client library's
  // own recovery, which waits for missed heartbeats.
  const forgetReconnect = bus.onReconnect(() => void messages?.close());
  const stop = () => {
    stopped = true;
    forgetReconnect();
    void messages?.close();
  };
  void run();
  return { stop };

  async function run(): Promise<void> {
    for (let failures = 0; !stopped; ) {
      const began = performance.now();
      try {
        await readOn();
      } catch {
        // The bus is unreachable or the reader failed; both are retried.
      }
      if (remote && !stopped) {
        stop();
        remote.onInterrupted();
      }
      failures = performance.now() - began < againPause.maxMs ? failures + 1 : 1;
      if (!stopped) await sleep(backoffDelay(againPause, failures, Math.random()));
    }
  }

  async function readOn(): Promise<void> {
    if (!remote) {
      const range = await streamRange(bus, stream);
      if (identity !== undefined) {
        const read = { identity, sequence: next - 1, storedAt: readAt };
        next = 1 + (await placeIn(bus, stream, range, read));
      }
      identity = range.identity;
    }
    const consumer = await bus.jetStreamOf(remote?.domain).client.consumers.get(stream, {
      deliver_policy: DeliverPolicy.StartSequence,
      opt_start_seq: next,
      inactive_threshold: forgottenMs * 1e6,
    });
    messages = await consumer.consume({ max_messages: 4000, expires: remote ? remotePullMs : pullMs });
    if (remote) void closeWhenInterrupted(messages);
    for await (const incoming of messages) {
      if (stopped) break;
      if (incoming.seq < next) continue;
      const storedAt = Number(incoming.timestampNanos / 1000n);
      await deliver({ message: channel.tryDecode(incoming.data), sequence: incoming.seq, storedAt });
      next = incoming.seq + 1;
      readAt = storedAt;
    }
  }
}

/**
 * The library would read on, also from a new stream that has the name of one that is no longer there. Nor does it look
 * whether all that the consumer has sent has arrived: what is lost between two servers is not sent again, and would be
 * missed with the next message only.
 */
async function closeWhenInterrupted(messages: ConsumerMessages): Promise<void> {
  for await (const status of messages.status()) {
    const isMissed = status.type === 'heartbeat' && status.lastConsumerSequence > messages.getReceived();
    if (isMissed || interruptions.has(status.type)) void messages.close();
  }
}

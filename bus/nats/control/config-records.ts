import { DiscardPolicy, JetStreamApiError, type StoredMsg } from '@nats-io/jetstream';
import type { Bus } from '../bus.ts';
import { type ConfigRecord, configRecords } from './control-messages.ts';
import { isLeaderless, isOutdated, ReplicatedRecords } from './replicated-stream.ts';

export interface RecordName {
  /** `monitor` for example. */
  readonly kind: string;
  readonly id: string;
}

/** A record as it is in the stream. */
export interface ConfigChange extends ConfigRecord, RecordName {
  /** In its stream, from 1 on. */
  readonly sequence: number;
}

/** What has changed in the stream after a sequence number. */
export interface FoundRecords {
  /** In the order of their last changes, each once. */
  readonly changes: readonly ConfigChange[];
  /** Those that do not have a record's shape, from a machine with a newer version for example. */
  readonly unread: readonly RecordName[];
  /** The stream's last sequence number: up to it, these are all. */
  readonly last: number;
}

/** Nothing was changed, and will not be: the stream is full, for example. */
export interface Refusal {
  readonly refused: string;
}

const stream = {
  name: 'CONFIG',
  subjects: [configRecords.subject('*', '*')],
  max_bytes: 16 * 1024 * 1024,
  // A full stream refuses changes; it must not forget a monitor.
  discard: DiscardPolicy.New,
};
const answerDeadlineMs = 3000;

/** The configuration that all machines share: a stream with the last record of each monitor and account, a copy on each voter. */
export class ConfigRecords extends ReplicatedRecords {
  /** @param copies the number of voters, up to three. */
  constructor(bus: Bus, copies: number) {
    super(bus, stream, copies);
  }

  /** Records that have changed after this sequence number. @throws while the stream has no leader. */
  async after(sequence: number): Promise<FoundRecords> {
    const manager = await this.bus.jetStream.manager;
    const { state } = await manager.streams.info(stream.name);
    const [subject = ''] = stream.subjects;
    // By subject: a record that is changed while this reads is found twice.
    const found = new Map<string, ConfigChange | RecordName>();
    let last = state.last_seq;
    for (let next = sequence + 1; ; ) {
      // The first one from there on, which the client library's types do not know.
      const query = { seq: next, next_by_subj: subject };
      const message = await manager.streams.getMessage(stream.name, query);
      if (!message) break;
      next = message.seq + 1;
      last = Math.max(last, message.seq);
      found.delete(message.subject);
      found.set(message.subject, read(message));
    }
    const records = [...found.values()];
    return {
      changes: records.filter(isRead),
      unread: records.filter((record) => !isRead(record)),
      last,
    };
  }

  /** A record as it is now; undefined if there is none, or it does not have a record's shape. @throws as {@link after}. */
  async find({ kind, id }: RecordName): Promise<ConfigChange | undefined> {
    const manager = await this.bus.jetStream.manager;
    const query = { last_by_subj: configRecords.subject(kind, id) };
    const message = await manager.streams.getMessage(stream.name, query);
    const record = message && read(message);
    return record && isRead(record) ? record : undefined;
  }

  /**
   * Changes a record if nothing in the whole stream has changed since a sequence number.
   *
   * @param timeoutMs if it is less than 3 s.
   * @returns the sequence number of the change; `outdated` if there was another one, `no leader` if nobody takes changes now.
   * @throws if there is no answer within 3 s: it may have been changed, or may yet be.
   */
  async change(
    { kind, id, value, machine, change }: Omit<ConfigChange, 'sequence'>,
    after: number,
    timeoutMs = answerDeadlineMs,
  ): Promise<number | 'outdated' | 'no leader' | Refusal> {
    const payload = configRecords.encode({ value, machine, change });
    const options = { expect: { lastSequence: after }, timeout: Math.min(timeoutMs, answerDeadlineMs) };
    try {
      const { client } = this.bus.jetStream;
      return (await client.publish(configRecords.subject(kind, id), payload, options)).seq;
    } catch (error) {
      if (isOutdated(error)) return 'outdated';
      if (isLeaderless(error)) return 'no leader';
      if (error instanceof JetStreamApiError) return { refused: error.message };
      throw error;
    }
  }
}

function read({ subject, data, seq }: StoredMsg): ConfigChange | RecordName {
  const [, kind = '', id = ''] = subject.split('.');
  const record = configRecords.tryDecode(data);
  return record ? { ...record, kind, id, sequence: seq } : { kind, id };
}

const isRead = (record: ConfigChange | RecordName): record is ConfigChange => 'sequence' in record;

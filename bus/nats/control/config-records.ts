import { DiscardPolicy } from '@nats-io/jetstream';
import type { Bus } from '../bus.ts';
import { type ConfigRecord, configRecords } from './control-messages.ts';
import { isLeaderless, isOutdated, openReplicated } from './replicated-stream.ts';

/** A record as it is in the stream. */
export interface ConfigChange extends ConfigRecord {
  /** `monitor` for example. */
  readonly kind: string;
  readonly id: string;
  /** In its stream, from 1 on. */
  readonly sequence: number;
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
export class ConfigRecords {
  readonly #bus: Bus;
  readonly #copies: number;

  /** @param copies the number of voters, up to three. */
  constructor(bus: Bus, copies: number) {
    this.#bus = bus;
    this.#copies = copies;
  }

  /**
   * Makes the stream if it is new.
   *
   * @returns whether each voter has a copy, or is about to; otherwise it is to be opened again.
   * @throws while less than a majority of the voters is there.
   */
  async open(): Promise<boolean> {
    const { config } = await openReplicated(this.#bus, stream, this.#copies);
    return config.num_replicas >= this.#copies;
  }

  /**
   * Records that have changed after this sequence number, in the order of their last changes. One that does not have a record's
   * shape, from a machine with a newer version for example, is left out.
   *
   * @throws while the stream has no leader.
   */
  async after(sequence: number): Promise<ConfigChange[]> {
    const manager = await this.#bus.jetStream.manager;
    const [subject = ''] = stream.subjects;
    const changes: ConfigChange[] = [];
    for (let next = sequence + 1; ; ) {
      // The first one from there on, which the client library's types do not know.
      const query = { seq: next, next_by_subj: subject };
      const found = await manager.streams.getMessage(stream.name, query);
      if (!found) return changes;
      next = found.seq + 1;
      const [, kind = '', id = ''] = found.subject.split('.');
      const record = configRecords.tryDecode(found.data);
      if (record) changes.push({ ...record, kind, id, sequence: found.seq });
    }
  }

  /**
   * Changes a record if nothing in the whole stream has changed since a sequence number.
   *
   * @returns the sequence number of the change; `outdated` if there was another one, `no leader` if nobody takes changes now.
   * @throws if there is no answer within 3 s: it may have been changed, or may yet be.
   */
  async change(
    { kind, id, value, machine, change }: Omit<ConfigChange, 'sequence'>,
    after: number,
  ): Promise<number | 'outdated' | 'no leader'> {
    const payload = configRecords.encode({ value, machine, change });
    const options = { expect: { lastSequence: after }, timeout: answerDeadlineMs };
    try {
      const { client } = this.#bus.jetStream;
      return (await client.publish(configRecords.subject(kind, id), payload, options)).seq;
    } catch (error) {
      if (isOutdated(error)) return 'outdated';
      if (isLeaderless(error)) return 'no leader';
      throw error;
    }
  }
}

import { DiscardPolicy, JetStreamApiError } from '@nats-io/jetstream';
import type { Bus } from '../bus.ts';
import { owners } from './control-messages.ts';

/** Who owns a monitor, as all machines have agreed. */
export interface OwnerRecord {
  /** The monitor's. */
  readonly id: string;
  readonly owner: string;
  /** The machine that is to own it: a planned move. */
  readonly next?: string | undefined;
  /** The record's sequence number in its stream: each change has a higher one. */
  readonly token: number;
}

/** A change of a record, valid only if the record still has the token that is expected (0: there is none). */
export interface Proposal extends Omit<OwnerRecord, 'token'> {
  readonly expected: number;
  /** Also only if nothing in the whole stream has changed since this sequence number. */
  readonly expectedLast?: number;
}

const stream = 'OWNERS';
const maxBytes = 8 * 1024 * 1024;
const answerDeadlineMs = 5000;
/** The second one where another change is on its way. */
const wrongSequence = [10_071, 10_164];
const noMessage = 10_037;

/** The owners' records: a stream with the last record of each monitor, one copy on each voter. */
export class OwnerRecords {
  readonly #bus: Bus;
  readonly #copies: number;

  /** @param copies the number of voters, up to three. */
  constructor(bus: Bus, copies: number) {
    this.#bus = bus;
    this.#copies = copies;
  }

  /**
   * The records of these monitors, and the stream's sequence number before they were read. Makes the stream if it is new.
   *
   * @throws while less than a majority of the voters is there.
   */
  async read(ids: readonly string[]): Promise<{ sequence: number; records: OwnerRecord[] }> {
    const manager = await this.#bus.jetStream.manager;
    const wanted = {
      ...{ name: stream, subjects: [owners.subject('*')], num_replicas: this.#copies },
      ...{ max_msgs_per_subject: 1, max_bytes: maxBytes, discard: DiscardPolicy.Old, allow_direct: false },
    };
    const known = await manager.streams.info(stream).catch((error: unknown) => {
      if (error instanceof JetStreamApiError) return undefined;
      throw error;
    });
    const { state, config } = known ?? (await manager.streams.add(wanted));
    // There are more voters than when it was made. A voter that is not there yet makes it later, when it reads the records.
    if (config.num_replicas < this.#copies)
      await manager.streams.update(stream, { ...config, num_replicas: this.#copies }).catch(() => {});
    const records: OwnerRecord[] = [];
    for (const id of ids) {
      const found = await manager.streams
        .getMessage(stream, { last_by_subj: owners.subject(id) })
        .catch((error: unknown) => {
          if (error instanceof JetStreamApiError && error.code === noMessage) return null;
          throw error;
        });
      const record = found && owners.tryDecode(found.data);
      if (record) records.push({ id, ...record, token: found.seq });
    }
    return { sequence: state.last_seq, records };
  }

  /**
   * Changes a record.
   *
   * @returns the new record; undefined if it was not as expected.
   * @throws if there is no answer within 5 s: it may have been changed, or may yet be.
   */
  async change({ id, owner, next, expected, expectedLast }: Proposal): Promise<OwnerRecord | undefined> {
    const record = { owner, ...(next !== undefined && { next }) };
    const expect = {
      lastSubjectSequence: expected,
      ...(expectedLast !== undefined && { lastSequence: expectedLast }),
    };
    try {
      const options = { expect, timeout: answerDeadlineMs };
      const payload = owners.encode(record);
      const { seq } = await this.#bus.jetStream.client.publish(owners.subject(id), payload, options);
      return { id, ...record, token: seq };
    } catch (error) {
      if (error instanceof JetStreamApiError && wrongSequence.includes(error.code)) return undefined;
      throw error;
    }
  }
}

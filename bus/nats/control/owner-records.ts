import { DiscardPolicy } from '@nats-io/jetstream';
import type { Bus } from '../bus.ts';
import { owners } from './control-messages.ts';
import { isOutdated, ReplicatedRecords } from './replicated-stream.ts';

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

const stream = {
  name: 'OWNERS',
  subjects: [owners.subject('*')],
  max_bytes: 8 * 1024 * 1024,
  discard: DiscardPolicy.Old,
};
const answerDeadlineMs = 5000;

/** The owners' records: a stream with the last record of each monitor, one copy on each voter. */
export class OwnerRecords extends ReplicatedRecords {
  /** @param copies the number of voters, up to three. */
  constructor(bus: Bus, copies: number) {
    super(bus, stream, copies);
  }

  /** The voters that have a copy, or are to have one, by the names that the stream knows. @throws as {@link read}. */
  async holders(): Promise<readonly string[]> {
    const manager = await this.bus.jetStream.manager;
    const { cluster } = await manager.streams.info(stream.name);
    const replicas = cluster?.replicas?.map(({ name }) => name) ?? [];
    return cluster?.leader === undefined ? replicas : [cluster.leader, ...replicas];
  }

  /**
   * The records of these monitors, and the stream's sequence number before they were read. Makes the stream if it is new.
   *
   * @throws while less than a majority of the voters is there.
   */
  async read(ids: readonly string[]): Promise<{ sequence: number; records: OwnerRecord[] }> {
    const { state } = await this.opened();
    const manager = await this.bus.jetStream.manager;
    const records: OwnerRecord[] = [];
    for (const id of ids) {
      const found = await manager.streams.getMessage(stream.name, { last_by_subj: owners.subject(id) });
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
      const { seq } = await this.bus.jetStream.client.publish(owners.subject(id), payload, options);
      return { id, ...record, token: seq };
    } catch (error) {
      if (isOutdated(error)) return undefined;
      throw error;
    }
  }

  /** Forgets the records of these monitors: they were deleted. @throws while less than a majority of the voters is there. */
  async forget(ids: readonly string[]): Promise<void> {
    const manager = await this.bus.jetStream.manager;
    const { state } = await manager.streams.info(stream.name, { subjects_filter: owners.subject('*') });
    for (const filter of ids.map((id) => owners.subject(id))) {
      if (state.subjects?.[filter] !== undefined) await manager.streams.purge(stream.name, { filter });
    }
  }
}

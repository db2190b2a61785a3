import { JetStreamApiError, type StreamConfig, type StreamInfo } from '@nats-io/jetstream';
import type { Bus } from '../bus.ts';

/** Not all of these voters have been there yet. */
const noPlace = 10_005;
/** The second one where another change is on its way. */
const wrongSequence = [10_071, 10_164];

/** A stream with the last message of each subject, a copy of it on each voter. */
export interface ReplicatedStream extends Pick<StreamConfig, 'name' | 'subjects' | 'max_bytes' | 'discard'> {}

/**
 * Makes the stream if it is new, and gives it its copies. While one of three voters has never been there, the others have
 * one each, and both must then be there for a change.
 *
 * @param copies the number of voters, up to three.
 * @throws while less than a majority of the voters is there.
 */
async function openReplicated(bus: Bus, stream: ReplicatedStream, copies: number): Promise<StreamInfo> {
  const manager = await bus.jetStream.manager;
  const wanted = { ...stream, max_msgs_per_subject: 1, allow_direct: false };
  const known = await manager.streams.info(stream.name).catch((error: unknown) => {
    if (error instanceof JetStreamApiError) return undefined;
    throw error;
  });
  if (known) {
    if (known.config.num_replicas >= copies) return known;
    // A voter that is not there yet gets its copy when the stream is opened again.
    return manager.streams.update(stream.name, { num_replicas: copies }).catch(() => known);
  }
  try {
    return await manager.streams.add({ ...wanted, num_replicas: copies });
  } catch (error) {
    const mayBeFewer = copies > 2 && error instanceof JetStreamApiError && error.code === noPlace;
    if (!mayBeFewer) throw error;
    return manager.streams.add({ ...wanted, num_replicas: copies - 1 });
  }
}

/** What is stored in one stream, a copy of it on each voter. */
export abstract class ReplicatedRecords {
  protected readonly bus: Bus;
  readonly #stream: ReplicatedStream;
  readonly #copies: number;

  /** @param copies the number of voters, up to three. */
  constructor(bus: Bus, stream: ReplicatedStream, copies: number) {
    this.bus = bus;
    this.#stream = stream;
    this.#copies = copies;
  }

  /**
   * Makes the stream if it is new.
   *
   * @returns whether each voter has a copy, or is about to; otherwise it is to be opened again.
   * @throws while less than a majority of the voters is there.
   */
  async open(): Promise<boolean> {
    const { config } = await this.opened();
    return config.num_replicas >= this.#copies;
  }

  /** The stream, made if it is new. @throws as {@link open}. */
  protected opened(): Promise<StreamInfo> {
    return openReplicated(this.bus, this.#stream, this.#copies);
  }
}

/** Whether a message was refused because the stream is no longer as it was expected to be. */
export const isOutdated = (error: unknown): boolean =>
  error instanceof JetStreamApiError && wrongSequence.includes(error.code);

/** Whether nobody has received a message for the stream: its copies have no leader now. */
export const isLeaderless = (error: unknown): boolean =>
  error instanceof Error && error.name === 'JetStreamNotEnabled';

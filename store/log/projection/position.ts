/** The streams that are read into the database: all but `STATUS`, which holds nothing but the present. */
export const projectedStreams = [
  'LOGS',
  'EVENTS',
  'DELIVERIES',
  'OBJECTS',
  'HISTORY',
  'RECORDINGS',
  'TENURES',
] as const;
export type ProjectedStream = (typeof projectedStreams)[number];
/**
 * Beside them stands against what a machine's recordings were compared last with what it has: the `identity` of its stream
 * `RECORDINGS`. Without that, or with another one, it is to be done.
 */
export type StoredPosition = ProjectedStream | 'COMPARED';

/** How far a stream has been read into the database. */
export interface Position {
  /** The mark that distinguishes the stream from another one of its name; empty before the first. */
  readonly identity: string;
  /** The place of the last message in the stream. */
  readonly sequence: number;
  /** The time that the last message got. */
  readonly time: number;
  /** When it was read, and not before the bus took it: Unix microseconds by this machine's clock. */
  readonly readAt: number;
  /** How often since the process began messages before it were missed; never if absent. */
  readonly gaps?: number;
}

/** How far a stream has been read into the database. */
export interface Position {
  /** What tells the stream from another one; empty before the first. */
  readonly stream: string;
  /** The place of the last message in the stream. */
  readonly sequence: number;
  /** The time that the last message got. */
  readonly time: number;
  /** When it was read, Unix microseconds by this machine's clock. */
  readonly readAt: number;
}

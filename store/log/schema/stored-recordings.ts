import type { RecordingReport } from '../../../bus/messages.ts';

/** What one batch of reports said of recordings. */
export interface StoredRecordings {
  /** Ids of recordings of which the end is not known, and of those of which it is known now. */
  readonly open: readonly string[];
  readonly ended: readonly string[];
  /** When those that were deleted began, Unix times in microseconds. */
  readonly removedUs: readonly number[];
}

/** Recordings that a machine has on its disk, for another one. */
export interface CataloguePage {
  /** The place in the machine's stream of reports for which it holds: what was reported behind it may be in it or not. */
  readonly identity: string;
  readonly sequence: number;
  /** In the order of their ids; `found`, or `growing` as long as no end was reported. */
  readonly recordings: readonly RecordingReport[];
  readonly isLast: boolean;
}

/** What came of comparing a page with what is known. */
export interface ComparedPage {
  readonly added: number;
  readonly removed: number;
  /** The next page is that of the ids after this one; undefined if there is none. */
  readonly next: string | undefined;
}

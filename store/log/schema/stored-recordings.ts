/** What one batch of reports said of recordings. */
export interface StoredRecordings {
  /** Ids of recordings of which the end is not known, and of those of which it is known now. */
  readonly open: readonly string[];
  readonly ended: readonly string[];
  /** When those that were deleted began, Unix times in microseconds. */
  readonly removedUs: readonly number[];
}

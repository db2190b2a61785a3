/** Where the times of the log are wrong: the newest entries were written while the clock was ahead. Unix times in microseconds. */
export interface LogTimes {
  readonly now: number;
  /** Of the newest entry. */
  readonly newest: number;
  /** Of the newest one of an earlier run of the recorder. */
  readonly earlier: number;
}

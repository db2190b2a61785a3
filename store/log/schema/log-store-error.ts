export type LogStoreErrorCode =
  | 'log_database_broken'
  | 'log_entries_lost'
  | 'log_stream_replaced'
  | 'log_thread_ended'
  | 'log_thread_hangs'
  | 'log_write_failed';

/** Something went wrong with the log behind its callers' backs; the store goes on. */
export class LogStoreError extends Error {
  override readonly name = 'LogStoreError';
  readonly code: LogStoreErrorCode;

  constructor(code: LogStoreErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** Writes log entries. `monitorID` is the monitor that the entry is about, if it is about one. */
export interface Log {
  /** Somebody must act. */
  error(msg: string, monitorID?: string): void;
  /** Something went wrong and was made good. */
  warning(msg: string, monitorID?: string): void;
  /** A state changed. */
  info(msg: string, monitorID?: string): void;
  /** The rest; never once per frame. */
  debug(msg: string, monitorID?: string): void;
}

/** Writes log entries. `monitorID` is the monitor that the entry is about, if it is about one. */
export interface Log {
  /** Needs action by the operator. */
  error(msg: string, monitorID?: string): void;
  /** Something went wrong but was recovered. */
  warning(msg: string, monitorID?: string): void;
  /** A state changed. */
  info(msg: string, monitorID?: string): void;
  /** Everything else; never once per frame. */
  debug(msg: string, monitorID?: string): void;
}

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

/** Writes to that log what `reword` makes of each message. */
export function rewordedLog(log: Log, reword: (msg: string) => string): Log {
  return {
    error: (msg, monitorID) => log.error(reword(msg), monitorID),
    warning: (msg, monitorID) => log.warning(reword(msg), monitorID),
    info: (msg, monitorID) => log.info(reword(msg), monitorID),
    debug: (msg, monitorID) => log.debug(reword(msg), monitorID),
  };
}

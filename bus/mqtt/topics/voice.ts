/** Of several machines that publish for one house, each speaks for some of the monitors. */
export interface Voice {
  speaks(monitorID: string): boolean;
  /** Calls `listener` when this machine begins to speak for a monitor, and when it ends. */
  onChange(listener: (monitorID: string) => void): void;
  /** Calls `listener` when a machine goes on that stood still: it may have published what it took for its own until it knew better. */
  onReturn(listener: () => void): void;
}

/** Of a recorder that is alone. */
export const ownVoice: Voice = { speaks: () => true, onChange: () => {}, onReturn: () => {} };

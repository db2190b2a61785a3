/** The topics of a recorder itself. */
export interface RecorderTopics {
  readonly available: string;
  readonly storageDaysLeft: string;
}

/** @param machine of several that are one system, each has topics of its own; undefined: it is alone. */
export function recorderTopics(prefix: string, machine: string | undefined): RecorderTopics {
  if (machine === undefined) {
    return {
      available: `${prefix}/available`,
      storageDaysLeft: `${prefix}/recorder/storage_days_left`,
    };
  }
  const root = `${prefix}/machine/${machine}`;
  return { available: `${root}/available`, storageDaysLeft: `${root}/storage_days_left` };
}

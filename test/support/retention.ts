import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { RecordingFiles } from '../../store/recordings/files/recording-files.ts';
import { RecordingMarks } from '../../store/recordings/files/recording-marks.ts';
import {
  RecordingRetention,
  type RetentionOptions,
} from '../../store/recordings/retention/recording-retention.ts';
import type { RetentionRules } from '../../store/recordings/retention/retention-rules.ts';

/** The catalogue of a recorder that knows no recording. */
export const emptyCatalogue: RetentionOptions['catalogue'] = {
  usage: async () => ({}),
  recordings: async () => [],
};

export const hourMs = 60 * 60 * 1000;
export const dayMs = 24 * hourMs;
const usualRules: RetentionRules = { minMs: hourMs, eventMs: new Map() };

export interface TestRetention {
  readonly retention: RecordingRetention;
  readonly marks: RecordingMarks;
  /** Ids and reasons. */
  readonly removed: string[];
}

/** The retention of a storage folder; without a limit, and with the usual rules, unless given. */
export async function retentionOf(
  storageDir: string,
  options: Partial<Omit<RetentionOptions, 'rulesOf'>> & {
    readonly rules?: Readonly<Record<string, Partial<RetentionRules>>>;
  } = {},
): Promise<TestRetention> {
  const recordingsDir = join(storageDir, 'recordings');
  await mkdir(recordingsDir, { recursive: true });
  const { rules = {} } = options;
  const files = new RecordingFiles(recordingsDir);
  const marks = new RecordingMarks(files);
  const removed: string[] = [];
  const retention = new RecordingRetention({
    storageDir,
    logFile: join(storageDir, 'log.duckdb'),
    limits: { maxBytes: 1e12, minFreeBytes: 0 },
    catalogue: emptyCatalogue,
    files,
    marks,
    rulesOf: (monitorID) => ({ ...usualRules, ...rules[monitorID] }),
    monitorIDs: () => Object.keys(rules),
    onRemoved: (id, reason) => removed.push(`${id}: ${reason}`),
    onMissing: (id, reason) => removed.push(`${id}: ${reason}`),
    removeRest: async () => {},
    ...options,
  });
  return { retention, marks, removed };
}

import type { UsageAnswer, UsageQuestion } from '../log/catalogue/recording-usage.ts';
import type { KeptRecording } from './retention/retention-rules.ts';
import { removeSnapshots } from './snapshots.ts';

/**
 * Deletes the snapshots of the events during these recordings. Those of sub streams are left out: the main stream's
 * recording of the same time may still be there.
 *
 * @throws {StoreError} `io`; errors of the file system.
 */
export async function removeEventSnapshots(
  storageDir: string,
  catalogue: { usage(question: UsageQuestion): Promise<UsageAnswer> },
  recordings: readonly KeptRecording[],
): Promise<void> {
  const spans = recordings
    .filter(({ stream }) => stream === 'main')
    .map(({ monitorID, startMs, endMs }) => ({
      monitorID,
      start: startMs * 1000,
      end: Math.ceil(endMs * 1000),
    }));
  if (spans.length === 0) return;
  const { events = [] } = await catalogue.usage({ kind: 'events', spans });
  await removeSnapshots(storageDir, events);
}

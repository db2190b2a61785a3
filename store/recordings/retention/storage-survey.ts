import { statfs } from 'node:fs/promises';
import { join } from 'node:path';
import type { CatalogueEntry, RecordingFilter } from '../../log/catalogue/recording-catalogue.ts';
import type { DayUsage, UsageAnswer, UsageQuestion } from '../../log/catalogue/recording-usage.ts';
import { FolderSizes, fileBytes, folderBytes } from './folder-sizes.ts';
import { type FolderContents, RecordingFolders } from './recording-folders.ts';
import { type NewestRecordings, seriesOf } from './retention-rules.ts';

/** The catalogue, as the retention uses it. */
export interface UsageCatalogue {
  usage(question: UsageQuestion): Promise<UsageAnswer>;
  recordings(filter: RecordingFilter): Promise<readonly CatalogueEntry[]>;
}

export interface StorageLocation {
  readonly storageDir: string;
  /** The log's database. */
  readonly logFile: string;
}

/** All that the recorder keeps, at one moment. Sizes in bytes. */
export interface StorageContents extends FolderContents {
  readonly days: readonly DayUsage[];
  readonly snapshotBytes: number;
  readonly logBytes: number;
  readonly busBytes: number;
  readonly recordingBytes: number;
  readonly byMonitor: ReadonlyMap<string, number>;
  readonly protectedByMonitor: ReadonlyMap<string, number>;
  readonly newest: NewestRecordings;
  readonly disk: { readonly size: number; readonly free: number; readonly others: number };
}

/** Finds out what the recorder keeps, without a look at each file. */
export class StorageSurvey {
  readonly #location: StorageLocation;
  readonly #catalogue: UsageCatalogue;
  readonly #folders: RecordingFolders;
  readonly #snapshots = new FolderSizes();

  constructor(location: StorageLocation, catalogue: UsageCatalogue) {
    this.#location = location;
    this.#catalogue = catalogue;
    this.#folders = new RecordingFolders(join(location.storageDir, 'recordings'), (filter) =>
      catalogue.recordings(filter),
    );
  }

  /** @throws {StoreError} `io`; errors of the file system. */
  async take(nowMs: number): Promise<StorageContents> {
    const { storageDir, logFile } = this.#location;
    const { days = [] } = await this.#catalogue.usage({ kind: 'days' });
    const [contents, snapshotBytes, file, journal, busBytes] = await Promise.all([
      this.#folders.compare(days),
      this.#snapshots.measure(join(storageDir, 'snapshots')),
      fileBytes(logFile),
      fileBytes(`${logFile}.wal`),
      folderBytes(join(storageDir, 'bus')),
    ]);
    const logBytes = file + journal;
    const byMonitor = new Map<string, number>();
    const add = (map: Map<string, number>, key: string, bytes: number) =>
      map.set(key, (map.get(key) ?? 0) + bytes);
    for (const { monitorID, bytes } of [...days, ...contents.unlisted]) add(byMonitor, monitorID, bytes);
    const protectedByMonitor = new Map<string, number>();
    for (const [id, bytes] of contents.protectedBytes) {
      add(protectedByMonitor, id.slice(20).replace(/_sub$/, ''), bytes);
    }
    const recordingBytes = sum(byMonitor.values()) + contents.companionBytes;
    const { blocks, bfree, bavail, bsize } = await statfs(join(storageDir, 'recordings'));
    const kept = recordingBytes + snapshotBytes + logBytes + busBytes;
    const disk = {
      size: blocks * bsize,
      free: bavail * bsize,
      others: Math.max(0, (blocks - bfree) * bsize - kept),
    };
    return {
      ...contents,
      ...{ days, snapshotBytes, logBytes, busBytes, recordingBytes, byMonitor, protectedByMonitor, disk },
      newest: newestOf(days, contents, nowMs),
    };
  }
}

export const sum = (numbers: Iterable<number>): number => {
  let total = 0;
  for (const number of numbers) total += number;
  return total;
};

/** The newest is the one that was stored last. One that is not in the catalogue counts if it is newer, by its time. */
function newestOf(days: readonly DayUsage[], { unlisted }: FolderContents, nowMs: number): NewestRecordings {
  const newest = new Map<string, { monitorID: string; startMs: number; number: number }>();
  for (const day of days) {
    const [number, startMs] = [day.newestNumber, day.newest / 1000];
    if ((newest.get(seriesOf(day))?.number ?? Number.NEGATIVE_INFINITY) < number)
      newest.set(seriesOf(day), { monitorID: day.monitorID, startMs, number });
  }
  for (const recording of unlisted) {
    const { monitorID, startMs } = recording;
    const series = seriesOf(recording);
    const known = newest.get(series);
    if (known && (startMs <= known.startMs || startMs > nowMs)) continue;
    newest.set(series, { monitorID, startMs, number: known?.number ?? -1 });
  }
  return newest;
}

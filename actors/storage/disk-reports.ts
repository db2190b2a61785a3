import type { Log } from '../../bus/log.ts';
import type { PruneResult } from '../../store/recordings/retention/recording-retention.ts';
import type { DiskState } from '../../store/recordings/retention/retention-rules.ts';
import type { StorageReport } from '../../store/recordings/retention/storage-figures.ts';

const dayMs = 24 * 60 * 60 * 1000;

/** Logs what the checks of the disk find: each change once. */
export class DiskReports {
  readonly #log: Log;
  #state: DiskState = 'room';
  #isCrowded = false;
  #isFilling = false;
  #isDoubted = false;
  /** Since the last check that succeeded. */
  readonly #failures = new Set<string>();

  constructor(log: Log) {
    this.#log = log;
  }

  checked(pruned: PruneResult, storage: StorageReport): void {
    this.#failures.clear();
    this.deleted(pruned);
    const { protectedBytes, doubtedMs } = pruned;
    if (doubtedMs > dayMs && !this.#isDoubted) {
      this.#log.warning(
        `the clock is ${(doubtedMs / dayMs).toFixed(0)} days ahead of the time in which the recorder ran: recordings, snapshots and the log are deleted for their age at twice the speed of time until it has run for a week`,
      );
    }
    this.#isDoubted = doubtedMs > dayMs;
    if (protectedBytes > 0 && !this.#isCrowded) {
      this.#log.warning(
        `protected recordings take ${gigabytes(protectedBytes)} GB of max_disk_usage: others are deleted early`,
      );
    }
    this.#isCrowded = protectedBytes > 0;
    if (storage.isFilling && !this.#isFilling && this.#state === 'room')
      this.#log.warning(fillingText(storage));
    this.#isFilling = storage.isFilling;
  }

  /** A change of the disk's state, and what was deleted. */
  deleted(pruned: PruneResult): void {
    if (pruned.state !== this.#state) this.#changed(pruned);
    this.#state = pruned.state;
    if (pruned.files === 0) return;
    const why = pruned.state === 'room' ? 'recordings reached their limits' : 'the disk is full';
    this.#log.info(`${why}: deleted the oldest ones, ${Math.ceil(pruned.bytes / 1e6)} MB`);
  }

  failed({ message }: Error): void {
    if (!this.#failures.has(message)) this.#log.error(`recordings cannot be listed: ${message}`);
    this.#failures.add(message);
  }

  #changed({ state, disk: { size, others, recordings } }: PruneResult): void {
    const space = `other files take ${gigabytes(others)} of ${gigabytes(size)} GB, recordings ${gigabytes(recordings)} GB`;
    if (state === 'room') this.#log.info(`the disk has enough space again: ${space}`);
    else if (state === 'full')
      this.#log.error(`the disk is full, the oldest recordings are deleted: ${space}`);
    else if (state === 'taken')
      this.#log.error(
        `the disk is full, and other files took the space freed by deleted recordings: ${space}; deleting pauses`,
      );
    else
      this.#log.error(
        `the disk is full, and only protected recordings and the newest hours of each monitor are left: ${space}; free some space, or recording stops`,
      );
  }
}

function fillingText({ daysLeft, disk, recordingBytes, maxBytes }: StorageReport): string {
  const when = daysLeft === null || daysLeft === 0 ? 'is nearly full' : `will be full in ${daysLeft} days`;
  return (
    `the disk ${when}: ${gigabytes(disk.free)} of ${gigabytes(disk.size)} GB are free, ` +
    `recordings take ${gigabytes(recordingBytes)} GB and may take ${gigabytes(maxBytes)} GB (max_disk_usage), ` +
    `other files take ${gigabytes(disk.others)} GB; the oldest recordings will be deleted`
  );
}

const gigabytes = (bytes: number) => (bytes / 1e9).toFixed(bytes < 1e9 ? 3 : 1);

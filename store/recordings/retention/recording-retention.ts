import { lstat, rmdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { AgeClock } from '../../base/age-clock.ts';
import type { RecordingFiles } from '../files/recording-files.ts';
import { EventLabels, type EventLabelsOptions } from './event-labels.ts';
import { recordingsInOrder } from './recordings-in-order.ts';
import { chooseRecordings } from './retention-plan.ts';
import {
  type DiskLimits,
  type DiskState,
  excessOf,
  freeBytesOf,
  type KeptRecording,
} from './retention-rules.ts';
import {
  type StorageContents,
  type StorageLocation,
  StorageSurvey,
  sum,
  type UsageCatalogue,
} from './storage-survey.ts';

/** A folder younger than this, in milliseconds, may be about to be used. */
const youngMs = 2 * 24 * 60 * 60 * 1000;
/** So many are deleted before they are reported: should the recorder be killed meanwhile, the next check misses their files. */
const reportedAtOnce = 50;
/** A file modified within this time, in milliseconds, may still be growing. */
const growingMs = 60_000;

/** The result of one check: the deleted files, and the use of the disk in bytes. */
export interface PruneResult {
  readonly files: number;
  readonly bytes: number;
  readonly state: DiskState;
  readonly disk: { readonly size: number; readonly others: number; readonly recordings: number };
  /** What was kept before anything was deleted. */
  readonly contents: StorageContents;
  /** By how much the machine's clock is ahead of the one by which recordings are too old, see `AgeClock`. */
  readonly doubtedMs: number;
  /** Bytes of protected recordings, if they leave less than a tenth of the limit to all others; 0 otherwise. */
  readonly protectedBytes: number;
}

export interface RetentionOptions extends StorageLocation, EventLabelsOptions {
  readonly limits: DiskLimits;
  readonly catalogue: UsageCatalogue;
  readonly files: RecordingFiles;
  /** Is called for each recording that was deleted. */
  readonly onRemoved: (id: string, reason: string) => void;
  /** Is called for each recording of the catalogue whose file is gone. */
  readonly onMissing: (id: string, reason: string) => void;
  /** Deletes what was kept beside these recordings, such as snapshots of their events; before they are reported. */
  readonly removeRest: (recordings: readonly KeptRecording[]) => Promise<void>;
}

/** Enforces the limits of recordings. Files not named like a recording are neither counted nor touched. */
export class RecordingRetention {
  readonly #options: RetentionOptions;
  readonly #recordingsDir: string;
  readonly #survey: StorageSurvey;
  readonly #labels: EventLabels;
  readonly #ages: AgeClock;
  /** Space freed by the last check because the disk was full, and the space that other files took then. */
  #freed: { readonly bytes: number; readonly others: number } | undefined;
  /** Number of checks until deleting is tried again, and the number for the next time. */
  #waiting = 0;
  #pause = 1;

  constructor(options: RetentionOptions) {
    this.#options = options;
    this.#recordingsDir = join(options.storageDir, 'recordings');
    this.#survey = new StorageSurvey(options, options.catalogue);
    this.#labels = new EventLabels(options);
    this.#ages = new AgeClock(options.storageDir);
  }

  /** What the recorder keeps now. @throws {StoreError} `io`; errors of the file system. */
  survey(nowMs: number): Promise<StorageContents> {
    return this.#survey.take(nowMs);
  }

  /**
   * Deletes recordings until they are within all limits and the disk has enough space, see {@link chooseRecordings}. On a
   * full disk they are not deleted if that does not help, see {@link DiskState}; deleting is then tried again later, each
   * time after twice as many checks.
   *
   * @param nowMs Unix time in milliseconds
   * @param signal ends it after the file that is being deleted.
   * @throws {StoreError} `io`; errors of the file system.
   */
  async prune(nowMs: number, signal?: AbortSignal): Promise<PruneResult> {
    const { limits, catalogue, rulesOf, onMissing } = this.#options;
    await this.#labels.update();
    const ageMs = await this.#ages.at(nowMs);
    const contents = await this.#survey.take(nowMs);
    for (const id of contents.missing) onMissing(id, 'the file is gone');

    const { disk, recordingBytes, snapshotBytes, logBytes, busBytes, companionBytes } = contents;
    const protectedBytes = sum(contents.protectedBytes.values());
    const fixed = companionBytes + snapshotBytes + logBytes + busBytes + protectedBytes;
    const deletable = recordingBytes - companionBytes - protectedBytes;
    const excess = excessOf(limits.maxBytes, deletable, fixed);
    const missing = freeBytesOf(limits, disk.size) - disk.free;
    const isFull = missing > excess;
    const isTaken = isFull && this.#isTaken(disk.others);
    const chosen = await chooseRecordings(recordingsInOrder(catalogue, contents.unlisted), {
      nowMs: ageMs,
      rulesOf,
      newest: contents.newest,
      total: excess,
      monitors: this.#excesses(contents),
      disk: isTaken ? 0 : missing,
      isProtected: (id) => contents.protectedBytes.has(id),
      keptUntilMs: (recording) => this.#labels.keptUntilMs(recording, contents.labelled),
    });
    const { files, bytes } = await this.#removeAll(chosen, nowMs, signal);

    if (!isFull) this.#pause = 1;
    this.#freed = isFull && !isTaken && bytes > 0 ? { bytes, others: disk.others } : undefined;
    const full = bytes < missing ? 'newest' : 'full';
    return {
      ...{ files, bytes, state: !isFull ? 'room' : isTaken ? 'taken' : full },
      disk: { size: disk.size, others: disk.others, recordings: recordingBytes - bytes },
      contents,
      doubtedMs: nowMs - ageMs,
      protectedBytes: fixed > limits.maxBytes * 0.9 && protectedBytes > fixed / 2 ? protectedBytes : 0,
    };
  }

  /** @returns the excess of each monitor that has a limit of its own. */
  #excesses({ byMonitor, protectedByMonitor }: StorageContents): Map<string, number> {
    const excesses = new Map<string, number>();
    for (const [monitorID, bytes] of byMonitor) {
      const { maxBytes } = this.#options.rulesOf(monitorID);
      const fixed = protectedByMonitor.get(monitorID) ?? 0;
      if (maxBytes !== undefined) excesses.set(monitorID, excessOf(maxBytes, bytes - fixed, fixed));
    }
    return excesses;
  }

  /** @returns whether other files have taken the freed space. */
  #isTaken(others: number): boolean {
    if (this.#waiting > 0) {
      this.#waiting -= 1;
      return true;
    }
    if (!this.#freed) return false;
    if (others - this.#freed.others > this.#freed.bytes / 2) {
      this.#waiting = this.#pause;
      this.#pause *= 2;
      return true;
    }
    this.#pause = 1;
    return false;
  }

  async #removeAll(chosen: readonly KeptRecording[], nowMs: number, signal: AbortSignal | undefined) {
    const removed: KeptRecording[] = [];
    for (let at = 0; at < chosen.length && !signal?.aborted; at += reportedAtOnce)
      removed.push(...(await this.#removeSome(chosen.slice(at, at + reportedAtOnce), nowMs, signal)));
    return { files: removed.length, bytes: sum(removed.map(({ bytes }) => bytes)) };
  }

  async #removeSome(chosen: readonly KeptRecording[], nowMs: number, signal: AbortSignal | undefined) {
    const { onRemoved, removeRest } = this.#options;
    const removed: KeptRecording[] = [];
    try {
      for (const recording of chosen) {
        if (signal?.aborted) break;
        if (await this.#remove(recording, nowMs)) removed.push(recording);
      }
    } finally {
      try {
        if (removed.length > 0) await removeRest(removed);
      } finally {
        for (const { id } of removed) onRemoved(id, 'retention');
      }
    }
    return removed;
  }

  /** @returns whether its file was deleted. */
  async #remove({ id, monitorID, startMs }: KeptRecording, nowMs: number): Promise<boolean> {
    const { files, marks } = this.#options;
    const folder = join(this.#recordingsDir, ...id.slice(0, 10).split('-'), monitorID);
    const found = await lstat(join(folder, `${id}.mp4`)).catch(() => undefined);
    // A time to come is of a clock that was ahead.
    const mayGrow = found !== undefined && Math.abs(nowMs - found.mtimeMs) < growingMs;
    // It may have been protected since it was chosen.
    if (mayGrow || (await marks.isProtected(id))) return false;
    const isRemoved = await files.remove(id);
    if (nowMs - startMs > youngMs) await removeEmpty(folder, this.#recordingsDir);
    return isRemoved;
  }
}

/** Removes an empty folder, and its parents if they are empty too. */
async function removeEmpty(folder: string, root: string): Promise<void> {
  for (let at = folder; at !== root; at = dirname(at)) {
    try {
      await rmdir(at);
    } catch {
      return;
    }
  }
}

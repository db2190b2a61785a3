import { setTimeout as sleep } from 'node:timers/promises';
import type { Log } from '../../../bus/log.ts';
import type { Bus } from '../../../bus/nats/bus.ts';
import { Outbox } from '../../../bus/nats/outbox.ts';
import { parseRecordingID } from '../../../bus/recording-id.ts';
import { recordings } from '../../../bus/subjects.ts';
import type { CatalogueEntry, RecordingFilter } from '../../log/catalogue/recording-catalogue.ts';
import type { UsageAnswer, UsageQuestion } from '../../log/catalogue/recording-usage.ts';
import type { RecordingFiles } from '../files/recording-files.ts';
import { lastWriteMs, reportOfFile } from './found-recording.ts';

/** How much of the folder the catalogue has: not known yet, or so many of those that it missed were added. */
export interface CatalogueProgress {
  readonly state: 'checking' | 'rebuilding' | 'complete';
  readonly added: number;
  readonly missing: number;
}

export interface CatalogueRebuildOptions {
  readonly bus: Bus;
  readonly files: RecordingFiles;
  readonly catalogue: {
    recordings(filter: RecordingFilter): Promise<readonly CatalogueEntry[]>;
    usage(question: UsageQuestion): Promise<UsageAnswer>;
  };
  readonly log: Log;
}

/** A recording that the catalogue does not have. */
interface UnlistedRecording {
  readonly id: string;
}

const batchSize = 500;
const flushDeadlineMs = 30_000;
const progressIntervalMs = 10_000;
/** Until then a file counts as one that may grow, and one of a killed process as one that is being finished. */
const [recheckDelayMs, cutOffDelayMs] = [65_000, lastWriteMs + 1000];
/** One that the catalogue does not take is not offered for ever. */
const maxAttempts = 3;

/**
 * Adds recordings to the catalogue that are in the folder only: all of them after the catalogue was lost, a few after a kill.
 * They are reported on the bus as a pipeline does it, so recording, queries and the retention go on meanwhile. What killed
 * pipelines left is completed: its size and its end.
 */
export class CatalogueRebuild {
  readonly #options: CatalogueRebuildOptions;
  readonly #reports = new Outbox(batchSize, () => {});
  readonly #ending = new AbortController();
  #state: CatalogueProgress['state'] = 'checking';
  /** By monitor. */
  #counts = new Map<string, { added: number; missing: number }>();
  #attempts = new Map<string, number>();
  #running: Promise<void> | undefined;

  constructor(options: CatalogueRebuildOptions) {
    this.#options = options;
    this.#reports.attach(options.bus);
  }

  /** @param maySee of which monitors; all if left out. Without missing ones among theirs, it is `complete`. */
  progress(maySee: (monitorID: string) => boolean = () => true): CatalogueProgress {
    let [added, missing] = [0, 0];
    for (const [monitorID, counts] of this.#counts) {
      if (!maySee(monitorID)) continue;
      added += counts.added;
      missing += counts.missing;
    }
    const state = this.#state === 'rebuilding' && missing === 0 ? 'complete' : this.#state;
    return { state, added, missing };
  }

  /**
   * Begins to add what a comparison has found, unless something is being added already.
   *
   * @param unlisted recordings that the catalogue does not have, in the order of their ids.
   */
  begin(unlisted: readonly UnlistedRecording[]): void {
    if (this.#ending.signal.aborted) return;
    this.#running ??= this.#run(unlisted)
      .catch((error: Error) => {
        if (!this.#ending.signal.aborted)
          this.#options.log.error(`the catalogue cannot be completed from the folder: ${error.message}`);
      })
      .finally(() => {
        this.#running = undefined;
      });
  }

  async end(): Promise<void> {
    this.#ending.abort();
    await this.#running;
  }

  async #run(unlisted: readonly UnlistedRecording[]): Promise<void> {
    const { catalogue, log } = this.#options;
    const { ended = [] } = await catalogue.usage({ kind: 'ended', after: -1, limit: 0, isFound: false });
    const cutOff = ended.map(({ id }) => id);
    const all = [...cutOff, ...unlisted.map(({ id }) => id)];
    const attemptsOf = (id: string) => this.#attempts.get(id) ?? 0;
    const ids = all.filter((id) => attemptsOf(id) < maxAttempts);
    this.#attempts = new Map(all.map((id) => [id, Math.min(maxAttempts, attemptsOf(id) + 1)]));
    const missing = ids.length;
    this.#counts = new Map();
    for (const id of ids) this.#countsOf(id).missing += 1;
    this.#state = missing === 0 ? 'complete' : 'rebuilding';
    if (missing === 0) return;
    const isLarge = missing > batchSize;
    if (isLarge)
      log.warning(`the catalogue does not have ${missing} recordings of the folder; they are being added`);
    const timer = setInterval(() => {
      log.info(`added ${this.progress().added} of ${missing} recordings to the catalogue`);
    }, progressIntervalMs);
    const began = performance.now();
    try {
      const young = await this.#addAll(ids, new Set(cutOff));
      const { added } = this.progress();
      const seconds = Math.round((performance.now() - began) / 1000);
      if (added > 0) log.info(`added ${added} of ${missing} recordings to the catalogue in ${seconds} s`);
      if (young.size === 0) this.#state = 'complete';
      else {
        const isCutOff = cutOff.some((id) => young.has(id));
        const later = unlisted.filter(({ id }) => young.has(id));
        void this.#beginLater(later, isCutOff ? cutOffDelayMs : recheckDelayMs);
      }
    } finally {
      clearInterval(timer);
    }
  }

  /** @returns those that may still be growing. */
  async #addAll(ids: readonly string[], cutOff: ReadonlySet<string>): Promise<ReadonlySet<string>> {
    const { files } = this.#options;
    const young = new Set<string>();
    for (const [index, id] of ids.entries()) {
      if (this.#ending.signal.aborted) break;
      const entry = cutOff.has(id) ? await this.#entryOf(id) : undefined;
      const report = await reportOfFile(files, id, entry);
      if (report === 'growing') {
        young.add(id);
        this.#attempts.delete(id);
        continue;
      }
      if (report) this.#reports.add(recordings, [report.monitorID], report);
      this.#countsOf(id).added += 1;
      if (index % batchSize === batchSize - 1) await this.#reports.flush(flushDeadlineMs);
    }
    await this.#reports.flush(flushDeadlineMs);
    return young;
  }

  #countsOf(id: string): { added: number; missing: number } {
    const monitorID = parseRecordingID(id)?.monitorID ?? '';
    const counts = this.#counts.get(monitorID) ?? { added: 0, missing: 0 };
    this.#counts.set(monitorID, counts);
    return counts;
  }

  /** Those that were reported meanwhile are not added. */
  async #beginLater(unlisted: readonly UnlistedRecording[], delayMs: number): Promise<void> {
    const { signal } = this.#ending;
    const begin = async () => {
      const known = await Promise.all(unlisted.map(({ id }) => this.#entryOf(id)));
      this.begin(unlisted.filter((_, index) => !known[index]));
    };
    await sleep(delayMs, undefined, { signal, ref: false })
      .then(begin)
      // The next check finds them.
      .catch(() => {});
  }

  async #entryOf(id: string): Promise<CatalogueEntry | undefined> {
    const [entry] = await this.#options.catalogue.recordings({ id, limit: 1, oldestFirst: true });
    return entry;
  }
}

import type { RecordingReport } from '../../../bus/messages.ts';
import type { Bus } from '../../../bus/nats/bus.ts';
import { Outbox } from '../../../bus/nats/outbox.ts';
import { parseRecordingID } from '../../../bus/recording-id.ts';
import { recordings } from '../../../bus/subjects.ts';
import { RemovalReports } from '../removal-reports.ts';
import type { CatalogueChange } from './archive-check.ts';

/** Reports that may wait, and how long they may take. */
const batchSize = 1000;
const flushDeadlineMs = 30_000;

/** Publishes what the catalogue is made from, for recordings that it does not know as they are. */
export class CatalogueRepair {
  readonly #found = new Outbox(batchSize, () => {});
  readonly #removals: RemovalReports;
  #waiting = 0;

  constructor(bus: Bus) {
    this.#found.attach(bus);
    this.#removals = new RemovalReports(bus, () => {});
  }

  async add(id: string, change: CatalogueChange): Promise<void> {
    if (change.isGone) this.#removals.add(id, 'the file was gone', true);
    else this.#report(id, change);
    this.#waiting += 1;
    if (this.#waiting === batchSize) await this.flush();
  }

  /** Waits until the bus has stored all reports. */
  async flush(): Promise<void> {
    this.#waiting = 0;
    await this.#found.flush(flushDeadlineMs);
    await this.#removals.flush(flushDeadlineMs);
  }

  #report(
    id: string,
    { start: known, startUs, bytes, lengthUs, streams }: Exclude<CatalogueChange, { isGone: true }>,
  ): void {
    const name = parseRecordingID(id);
    if (!name) return;
    const { monitorID } = name;
    // In older recordings only the name says when they began, to the second.
    const start = known ?? startUs ?? name.startMs * 1000;
    const end = start + lengthUs;
    const report: RecordingReport = {
      id,
      monitorID,
      // The catalogue takes no other report of one whose deletion it knows, or whose end.
      state: 'found',
      start,
      end,
      bytes,
      streams: [...streams],
      reason: '',
    };
    this.#found.add(recordings, [monitorID], report);
  }
}

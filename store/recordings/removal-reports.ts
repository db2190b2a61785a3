import type { RecordingReport } from '../../bus/messages.ts';
import type { Bus } from '../../bus/nats/bus.ts';
import { Outbox } from '../../bus/nats/outbox.ts';
import { parseRecordingID } from '../../bus/recording-id.ts';
import { recordings } from '../../bus/subjects.ts';

/** Reports that may wait while the bus is unreachable. */
const maxWaiting = 10_000;

/** Reports deleted recordings on the bus, so that the catalogue no longer lists them. */
export class RemovalReports {
  readonly #outbox: Outbox;

  /** @param onLost gets the number of reports that were dropped because the bus was unreachable for too long. */
  constructor(bus: Bus, onLost: (count: number) => void) {
    this.#outbox = new Outbox(maxWaiting, onLost);
    this.#outbox.attach(bus);
  }

  /**
   * @param reason such as `by 'admin'`
   * @param keepsEvents the recorder did not delete it: perhaps its disk is not there, and its events are all that is left.
   */
  add(id: string, reason: string, keepsEvents = false): void {
    const name = parseRecordingID(id);
    if (!name) return;
    const [start, { monitorID }] = [name.startMs * 1000, name];
    const report: RecordingReport = {
      id,
      monitorID,
      state: 'deleted',
      start,
      end: start,
      bytes: 0,
      streams: [],
      reason,
      ...(keepsEvents && { keepsEvents }),
    };
    this.#outbox.add(recordings, [monitorID], report);
  }

  /** Waits until the bus has stored all reports, for at most `deadlineMs`. */
  async flush(deadlineMs: number): Promise<void> {
    await this.#outbox.flush(deadlineMs);
  }
}

import { nowUs } from '../../../bus/base/time.ts';
import type { RecordingMarks } from '../files/recording-marks.ts';
import type { KeptRecording, RetentionRules } from './retention-rules.ts';
import type { UsageCatalogue } from './storage-survey.ts';

/** Microseconds by which each search overlaps the one before: events reach the catalogue within seconds. */
const overlapUs = 60 * 60 * 1_000_000;

export interface EventLabelsOptions {
  readonly catalogue: Pick<UsageCatalogue, 'usage'>;
  readonly marks: RecordingMarks;
  readonly rulesOf: (monitorID: string) => RetentionRules;
  /** All monitors that may record. */
  readonly monitorIDs: () => readonly string[];
}

/**
 * Recordings that are kept for their events. Which labels they hold is noted beside them, because the events themselves are
 * not kept as long.
 */
export class EventLabels {
  readonly #options: EventLabelsOptions;
  /** The rules of the last search, and when it began: Unix time in microseconds. */
  #searched = { rules: '', at: 0 };

  constructor(options: EventLabelsOptions) {
    this.#options = options;
  }

  /** Notes what was detected since the last time. @throws {StoreError} `io`; errors of the file system. */
  async update(): Promise<void> {
    const { catalogue, marks, rulesOf, monitorIDs } = this.#options;
    const monitors = monitorIDs().filter((id) => rulesOf(id).eventMs.size > 0);
    if (monitors.length === 0) return;
    const labels = [...new Set(monitors.flatMap((id) => [...rulesOf(id).eventMs.keys()]))];
    const rules = JSON.stringify([monitors, labels]);
    const since = rules === this.#searched.rules ? Math.max(0, this.#searched.at - overlapUs) : 0;
    const at = nowUs();
    const { labels: found = [] } = await catalogue.usage({ kind: 'labels', monitors, labels, since });
    const byID = new Map<string, string[]>();
    for (const { id, label } of found) byID.set(id, [...(byID.get(id) ?? []), label]);
    for (const [id, its] of byID) await marks.addLabels(id, its);
    this.#searched = { rules, at };
  }

  /**
   * @param labelled the ids of recordings with labels.
   * @returns Unix time in milliseconds; 0 if it is not kept for events.
   */
  async keptUntilMs({ id, monitorID, endMs }: KeptRecording, labelled: ReadonlySet<string>): Promise<number> {
    const { eventMs } = this.#options.rulesOf(monitorID);
    if (eventMs.size === 0 || !labelled.has(id)) return 0;
    const labels = await this.#options.marks.labels(id);
    return endMs + Math.max(0, ...labels.map((label) => eventMs.get(label) ?? 0));
  }
}

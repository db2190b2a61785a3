import { leases } from '../../bus/leases.ts';
import type { DetectorReport } from '../../bus/messages.ts';
import type { Bus } from '../../bus/nats/bus.ts';
import { reports } from '../../bus/subjects.ts';

/** Keeps the latest report of every running detector; a report expires if the detector does not repeat it. */
export class DetectorReports {
  readonly #reports = new Map<string, { readonly report: DetectorReport; readonly at: number }>();
  readonly #forget: () => void;

  constructor(bus: Bus) {
    this.#forget = bus.subscribe(reports, ['*', '*'], (report) => {
      this.#expire();
      this.#reports.set(`${report.monitorID} ${report.detector}`, { report, at: Date.now() });
    });
  }

  /** @returns the reports of running detectors, ordered by monitor id. */
  list(): DetectorReport[] {
    this.#expire();
    return [...this.#reports.values()]
      .map(({ report }) => report)
      .sort((a, b) => (a.monitorID < b.monitorID ? -1 : 1));
  }

  close(): void {
    this.#forget();
  }

  #expire(): void {
    for (const [key, { at }] of this.#reports)
      if (Date.now() - at > leases.detectorReport.expireMs) this.#reports.delete(key);
  }
}

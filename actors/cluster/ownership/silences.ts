import type { OwnerRecord } from '../../../bus/nats/control/owner-records.ts';
import type { SiteView } from './site-view.ts';

/** For how long nobody is heard who should record a monitor. Times are milliseconds of this machine's monotonic clock. */
export class Silences {
  readonly #view: SiteView;
  readonly #knownSince = new Map<string, number>();

  constructor(view: SiteView) {
    this.#view = view;
  }

  /** @param ids of the monitors that are enabled: one that is enabled again is not one whose owner was silent all the time. */
  keep(ids: ReadonlySet<string>, now: number): void {
    for (const id of this.#knownSince.keys()) if (!ids.has(id)) this.#knownSince.delete(id);
    for (const id of ids) if (!this.#knownSince.has(id)) this.#knownSince.set(id, now);
  }

  /** It begins anew. */
  forget(id: string): void {
    this.#knownSince.delete(id);
  }

  /**
   * Since the owner was heard to attend it, or since there is something to attend; `Infinity` where the owner says that it leaves.
   *
   * @param record undefined if nobody owns it.
   */
  of(id: string, record: OwnerRecord | undefined, now: number): number {
    const known = now - (this.#knownSince.get(id) ?? now);
    const silence = this.#view.silence(record?.owner, id, now);
    return record && silence === Number.POSITIVE_INFINITY ? silence : Math.min(silence, known);
  }
}

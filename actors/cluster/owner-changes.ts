import { setTimeout as sleep } from 'node:timers/promises';
import type { OwnerRecords, Proposal } from '../../bus/nats/control/owner-records.ts';
import type { Ownership } from './ownership/ownership.ts';
import type { SiteLog } from './site-log.ts';

const retryMs = 1000;

/** Asks for the changes of owners' records that this machine has decided on, and learns what comes of them. */
export class OwnerChanges {
  readonly #ownership: Ownership;
  readonly #siteLog: SiteLog;
  readonly #monitorIDs: () => readonly string[];
  /** Undefined until the control plane is connected. */
  #records: OwnerRecords | undefined;
  #isReading = false;

  constructor(ownership: Ownership, siteLog: SiteLog, monitorIDs: () => readonly string[]) {
    this.#ownership = ownership;
    this.#siteLog = siteLog;
    this.#monitorIDs = monitorIDs;
  }

  attach(records: OwnerRecords): void {
    this.#records = records;
  }

  async propose(proposal: Proposal): Promise<void> {
    const { id } = proposal;
    const record = await this.#records?.change(proposal).catch(() => undefined);
    if (record) {
      this.#ownership.learn(record, performance.now());
      this.#siteLog.stored(record);
    }
    this.#ownership.settled(id, record !== undefined, performance.now());
  }

  /** Once after the start, and when a record was not as expected; otherwise heartbeats say how they are. */
  async read(): Promise<void> {
    if (!this.#records || this.#isReading) return;
    this.#isReading = true;
    try {
      const ids = this.#monitorIDs();
      const { sequence, records } = await this.#records.read(ids);
      const found = new Set(records.map(({ id }) => id));
      for (const id of ids) if (!found.has(id)) this.#ownership.forget(id, sequence);
      for (const record of records) this.#ownership.learn(record, performance.now());
      this.#ownership.caughtUp(sequence);
    } catch {
      await sleep(retryMs);
    } finally {
      this.#isReading = false;
    }
  }

  /** Of monitors that were deleted; if it fails, after the next start. */
  async forget(ids: readonly string[]): Promise<void> {
    await this.#records?.forget(ids).catch(() => {});
  }
}

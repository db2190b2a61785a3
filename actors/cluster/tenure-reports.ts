import { nowUs } from '../../bus/base/time.ts';
import type { Tenure } from '../../bus/messages.ts';
import type { Bus } from '../../bus/nats/bus.ts';
import { Outbox } from '../../bus/nats/outbox.ts';
import { tenures } from '../../bus/subjects.ts';
import type { Ownership } from './ownership/ownership.ts';

const maxReports = 1000;

type State = Pick<Tenure, 'token' | 'provisional'>;
const none: State = { token: null, provisional: false };

/** Publishes on this machine's bus how it records each monitor, at each change: all machines decide by it whose events are shown. */
export class TenureReports {
  readonly #machine: string;
  readonly #ownership: Ownership;
  readonly #outbox = new Outbox(maxReports, () => {});
  readonly #last = new Map<string, State>();

  constructor(machine: string, ownership: Ownership) {
    this.#machine = machine;
    this.#ownership = ownership;
  }

  attach(bus: Bus): void {
    this.#outbox.attach(bus);
  }

  /** @param monitorIDs those that are enabled. */
  update(monitorIDs: readonly string[]): void {
    for (const monitorID of new Set([...monitorIDs, ...this.#last.keys()])) {
      const now = monitorIDs.includes(monitorID) ? this.#stateOf(monitorID) : none;
      const last = this.#last.get(monitorID);
      if (last?.token === now.token && last.provisional === now.provisional) continue;
      this.#last.set(monitorID, now);
      this.#outbox.add(tenures, [monitorID], { monitorID, time: nowUs(), ...now });
    }
    for (const id of this.#last.keys()) if (!monitorIDs.includes(id)) this.#last.delete(id);
  }

  #stateOf(id: string): State {
    if (!this.#ownership.attended.has(id)) return none;
    const record = this.#ownership.ownerOf(id);
    if (record?.owner === this.#machine) return { token: record.token, provisional: false };
    // Beside an owner that is there: what that one sees is shown.
    if (record?.next === this.#machine) return { token: 0, provisional: true };
    return { token: record?.token ?? 0, provisional: true };
  }
}

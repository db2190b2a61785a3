import type { ClusterKeys } from '../../bus/nats/control/cluster-keys.ts';
import type { DistantMonitor, Site } from '../../http/state/site.ts';

/** The other machines of a cluster, as a test says that they are heard. */
export class TestSite implements Site {
  readonly machine: string;
  readonly machines: readonly string[];
  readonly keys: ClusterKeys;
  readonly relayPort: number;
  readonly #distant = new Map<string, DistantMonitor>();
  readonly #listeners = new Set<(monitorID: string) => void>();

  /** Those that are not heard. */
  readonly away = new Set<string>();

  constructor(machine: string, machines: readonly string[], keys: ClusterKeys, relayPort: number) {
    this.machine = machine;
    this.machines = machines;
    this.keys = keys;
    this.relayPort = relayPort;
  }

  isAlive(machine: string): boolean {
    return !this.away.has(machine);
  }

  distant(id: string): DistantMonitor | undefined {
    return this.#distant.get(id);
  }

  onDistantChange(listener: (monitorID: string) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** undefined: this machine records it; null: none does. */
  hear(id: string, machine: string | null | undefined): void {
    const now = { monitorID: id, state: 'streaming', reason: '', recording: true, since: 5 } as const;
    if (machine === undefined) this.#distant.delete(id);
    else this.#distant.set(id, { machine: machine ?? undefined, status: now });
    for (const listener of this.#listeners) listener(id);
  }
}

import type { MonitorStatus } from '../../bus/messages.ts';
import type { ClusterKeys } from '../../bus/nats/control/cluster-keys.ts';

/** A monitor that another machine of the cluster records, or that none records at the moment. */
export interface DistantMonitor {
  /** The machine that records it, or tries to; undefined if there is none at the moment. */
  readonly machine: string | undefined;
  readonly status: MonitorStatus;
}

/** The other machines of the cluster, as far as requests need them. */
export interface Site {
  /** This machine's entry in the list of machines. */
  readonly machine: string;
  readonly keys: ClusterKeys;
  /** All machines of the configuration, this one included. */
  readonly machines: readonly string[];
  /** Whether a machine was heard within the last three seconds. */
  isAlive(machine: string): boolean;
  /** On which every machine answers requests of the others. */
  readonly relayPort: number;
  /** undefined for a monitor that this machine records, or that is disabled. */
  distant(monitorID: string): DistantMonitor | undefined;
  /** Calls `listener` with each monitor of which `distant` answers something else from now on. @returns a function that ends it. */
  onDistantChange(listener: (monitorID: string) => void): () => void;
}

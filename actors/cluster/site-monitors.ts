import { nowUs } from '../../bus/base/time.ts';
import type { MonitorStatus } from '../../bus/messages.ts';
import type { Heartbeat } from '../../bus/nats/control/control-messages.ts';
import type { DistantMonitor } from '../../http/state/site.ts';

export interface SiteMonitorsOptions {
  readonly machine: string;
  /** The ids of the monitors that are enabled. */
  readonly monitorIDs: () => readonly string[];
}

const nobody = 'no machine records it';

/** Which machine records each monitor, and its status there, from heartbeats: for people, not for decisions. */
export class SiteMonitors {
  readonly #options: SiteMonitorsOptions;
  readonly #own = new Map<string, MonitorStatus>();
  #distant: ReadonlyMap<string, DistantMonitor> = new Map();

  constructor(options: SiteMonitorsOptions) {
    this.#options = options;
  }

  /** A status on this machine's own bus. */
  learn(status: MonitorStatus): void {
    this.#own.set(status.monitorID, status);
  }

  /** A heartbeat of this machine with the statuses of what it attends. */
  withStatuses(beat: Heartbeat): Heartbeat {
    const attends = beat.attends.map((attended) => {
      const status = this.#own.get(attended.id);
      if (!status) return attended;
      const { state, reason, recording, since } = status;
      return { ...attended, status: { state, reason, recording, since } };
    });
    return { ...beat, attends };
  }

  /** @param alive the heartbeats of all machines that are there, this one included. @returns the monitors that changed. */
  update(alive: readonly Heartbeat[]): readonly string[] {
    const before = this.#distant;
    const ids = this.#options.monitorIDs();
    const now = ids.flatMap((id): [string, DistantMonitor][] => {
      const found = this.#find(id, alive);
      return found ? [[id, found]] : [];
    });
    this.#distant = new Map(now);
    const all = new Set([...before.keys(), ...this.#distant.keys()]);
    return [...all].filter((id) => !isSame(before.get(id), this.#distant.get(id)));
  }

  distant(monitorID: string): DistantMonitor | undefined {
    return this.#distant.get(monitorID);
  }

  #find(id: string, alive: readonly Heartbeat[]): DistantMonitor | undefined {
    const attending = alive.flatMap(({ machine, attends }) =>
      attends.filter((attended) => attended.id === id).map((attended) => ({ ...attended, machine })),
    );
    // While two record it during a move, the one with pictures; then the owner, then this machine.
    const rank = ({ streaming, token, machine }: (typeof attending)[number]) =>
      (streaming ? 4 : 0) + (token > 0 ? 2 : 0) + (machine === this.#options.machine ? 1 : 0);
    const [best] = attending.sort((a, b) => rank(b) - rank(a));
    if (best?.machine === this.#options.machine) return undefined;
    if (best) {
      const starting = { state: 'connecting', reason: '', recording: false, since: nowUs() } as const;
      return { machine: best.machine, status: { monitorID: id, ...(best.status ?? starting) } };
    }
    const known = this.#distant.get(id);
    if (known && known.machine === undefined) return known;
    const status = { state: 'waiting', reason: nobody, recording: false, since: nowUs() } as const;
    return { machine: undefined, status: { monitorID: id, ...status } };
  }
}

/** Without a status, a machine has only just begun: each look says another time. */
function isSame(one: DistantMonitor | undefined, other: DistantMonitor | undefined): boolean {
  if (!one || !other) return one === other;
  const { state, reason, recording } = other.status;
  return (
    one.machine === other.machine &&
    one.status.state === state &&
    one.status.reason === reason &&
    one.status.recording === recording
  );
}

import type { Heartbeat, MachineReport } from '../../bus/nats/control/control-messages.ts';
import type { ClusterConfig } from '../../store/config/cluster-config.ts';

export interface HeardMachines {
  readonly voters: readonly string[];
  /** The heartbeats of all that are there, this machine included. */
  readonly alive: readonly Heartbeat[];
  /** The voters that are waited for; see `Quorum`. */
  readonly waitedFor: readonly string[];
}

/** All machines of the configuration, as they are heard here. */
export function reportMachines(
  { machines, name }: Pick<ClusterConfig, 'machines' | 'name'>,
  { voters, alive, waitedFor }: HeardMachines,
): readonly MachineReport[] {
  return machines.map((machine) => {
    const beat = alive.find((heard) => heard.machine === machine);
    const attends = beat?.attends ?? [];
    return {
      name: machine,
      isThis: machine === name,
      isAlive: beat !== undefined,
      votes: voters.includes(machine),
      capacity: beat?.capacity ?? null,
      owned: attends.filter(({ token }) => token > 0).map(({ id }) => id),
      provisional: attends.filter(({ token }) => token === 0).map(({ id }) => id),
      isWaitedFor: waitedFor.includes(machine),
    };
  });
}

import { hostname } from 'node:os';
import { Type } from 'typebox';
import type { ClusterConfig } from './cluster-config.ts';

/** A name or address in the list of the cluster, or the host name of a machine that is alone. */
export const machinePattern = '[A-Za-z0-9._:-]{1,253}';

/** The machines whose rows are wanted. */
export const MachineList = Type.Optional(
  Type.Array(
    Type.String({
      pattern: `^${machinePattern}$`,
      description: 'a list of machines of the cluster; none means all',
    }),
    { maxItems: 1000, description: 'a list of machines of the cluster; none means all' },
  ),
);

/** This machine's name. */
export const machineName = (cluster: ClusterConfig | undefined): string => cluster?.name ?? hostname();

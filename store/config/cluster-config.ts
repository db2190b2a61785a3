import { hostname } from 'node:os';
import { ConfigError } from './config-error.ts';
import type { ConfigFile } from './config-schema.ts';

/** The machines that are one system. */
export interface ClusterConfig {
  /** Names or addresses; the first three vote. */
  readonly machines: readonly string[];
  readonly secret: string;
  /** This machine's entry in `machines`. */
  readonly name: string;
  /** Its share of the monitors, in relation to the others'. */
  readonly capacity: number;
  readonly withoutQuorum: 'record' | 'wait';
  /** The three after it are used as well. */
  readonly port: number;
}

/** @returns undefined for a machine that is alone. @throws {ConfigError} */
export function readCluster(file: string, { cluster, bus }: ConfigFile): ClusterConfig | undefined {
  const { machines = [], secret, capacity = 16, without_quorum = 'record', port = 6222 } = cluster ?? {};
  if (machines.length === 0) return undefined;
  if ((bus?.servers ?? []).length > 0) {
    throw new ConfigError(
      `${file}: cluster: expected only one of machines in [cluster] and servers in [bus]`,
    );
  }
  if (new Set(machines).size < machines.length || machines.length === 1) {
    throw new ConfigError(
      `${file}: cluster.machines: expected 2 to 8 different names or addresses of machines`,
    );
  }
  if (secret === undefined) {
    throw new ConfigError(`${file}: cluster.secret: expected what \`npm start -- --new-cluster\` prints`);
  }
  const name = cluster?.name ?? hostname();
  if (!machines.includes(name)) {
    const known = cluster?.name === undefined ? `; this machine is called ${name}` : '';
    throw new ConfigError(`${file}: cluster.name: expected one of ${machines.join(', ')}${known}`);
  }
  return { machines, secret, name, capacity, withoutQuorum: without_quorum, port };
}

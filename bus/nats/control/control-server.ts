import { execFile } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { isIP } from 'node:net';
import { promisify } from 'node:util';
import type { Log } from '../../log.ts';
import type { BusAddress } from '../bus-address.ts';
import { type NatsServer, startNatsServer } from '../nats-server.ts';
import type { ClusterKeys } from './cluster-keys.ts';
import { tlsConfig, writeKeyFiles } from './key-files.ts';
import { inAddress, leafHub } from './leaf-hub.ts';

/** nats-server is too old for a cluster. */
class NatsVersionError extends Error {
  override readonly name = 'NatsVersionError';
  readonly code = 'nats_version_too_old';
}

/**
 * Older ones lose acknowledged messages when a machine of the cluster fails (2.9 to 2.10.22), or can be crashed before the
 * login (CVE-2026-33218, fixed in 2.12.6).
 */
const oldestVersion = '2.12.6';

/** @throws {NatsVersionError} */
export async function checkNatsVersion(): Promise<void> {
  const env = { PATH: `${process.env['PATH'] ?? ''}:/usr/sbin` };
  const { stdout } = await promisify(execFile)('nats-server', ['--version'], { env });
  const version = /v(\d+\.\d+\.\d+)/.exec(stdout)?.[1] ?? '0.0.0';
  if (version.localeCompare(oldestVersion, 'en', { numeric: true }) >= 0) return;
  throw new NatsVersionError(
    `[cluster] needs nats-server ${oldestVersion} or later, this is ${version}: install the .deb of https://github.com/nats-io/nats-server/releases, or remove [cluster]`,
  );
}

/** The control servers, as one machine of the cluster knows them. */
export interface ControlServers {
  /** Its entry in the list of machines. */
  readonly machine: string;
  /** All machines that vote, this one perhaps included. */
  readonly voters: readonly string[];
  /** For the servers among themselves; clients use the next one, and the machines' buses the one after it. */
  readonly port: number;
  readonly keys: ClusterKeys;
}

export interface ControlServerOptions extends ControlServers {
  readonly dir: string;
  readonly log: Log;
}

/**
 * Starts this machine's part of the control plane: a nats-server that is one with those of the other voters. It holds only
 * who owns what, and is apart from the bus that recordings use.
 */
export async function startControlServer(options: ControlServerOptions): Promise<NatsServer> {
  const { dir, log, keys, port } = options;
  await mkdir(dir, { recursive: true, mode: 0o750 });
  await writeKeyFiles(dir, keys);
  const kind = {
    ...{ name: "the cluster's nats-server", port: port + 1, config: () => controlConfig(options) },
    // Machines that are off, and strangers that are turned away: as often as those like.
    usualErrors: /route|leafnode|handshake/i,
  };
  return startNatsServer({ dir, log, kind });
}

/**
 * The machines through whose servers this one reaches the others. A voter uses its own alone: on another's it would stay, and
 * be silent for the third when that one fails.
 */
export const entrances = ({ machine, voters }: ControlServers): readonly string[] =>
  voters.includes(machine) ? [machine] : voters;

/** Where the control plane is reached. @param through the machines whose servers are used, by default the {@link entrances}. */
export function controlAddress(plane: ControlServers, through = entrances(plane)): BusAddress {
  const servers = through.map((voter) => `${inAddress(voter)}:${plane.port + 1}`);
  return { servers, tls: plane.keys };
}

/** No machine's, whose letters are lower-case. */
const domain = 'CONTROL';

function controlConfig(options: ControlServerOptions): string {
  const { dir, machine, voters, port } = options;
  const host = isIP(machine) ? machine : '0.0.0.0';
  const tls = tlsConfig(dir);
  const routes = voters
    .filter((voter) => voter !== machine)
    .map((voter) => JSON.stringify(`nats-route://${inAddress(voter)}:${port}`));
  return `
server_name: ${JSON.stringify(machine)}
host: ${JSON.stringify(host)}
tls { ${tls}, handshake_first: true }
# A peer whose cable was pulled is noticed soon.
ping_interval: "2s"
ping_max: 2
# Every record is on the disks of a majority before it is acknowledged; there are few.
jetstream { store_dir: ${JSON.stringify(dir)}, domain: ${domain}, max_file_store: 64MB, max_memory_store: 16MB, sync_interval: always }
cluster {
  name: sentrybus
  listen: ${JSON.stringify(`${inAddress(host)}:${port}`)}
  routes: [${routes.join(', ')}]
  no_advertise: true
  tls { ${tls} }
}
${leafHub(dir, host, port)}`;
}

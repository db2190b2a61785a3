import { mkdir } from 'node:fs/promises';
import type { BusAddress } from '../bus-address.ts';
import type { SiteMember } from '../nats-server.ts';
import { type ControlServers, controlAddress, entrances } from './control-server.ts';
import { tlsConfig, writeKeyFiles } from './key-files.ts';
import { leafAddress, leafUser, siteAnswers } from './leaf-hub.ts';
import { machineToken } from './machine-token.ts';

/**
 * This machine's bus as a leaf node of the control servers, so that the others can read its streams.
 *
 * @param dir the bus's folder, in which its keys are written.
 */
export async function leafNode(dir: string, plane: ControlServers): Promise<SiteMember> {
  const { machine, keys } = plane;
  await mkdir(dir, { recursive: true, mode: 0o750 });
  await writeKeyFiles(dir, keys);
  const urls = entrances(plane).map((voter) =>
    JSON.stringify(`nats-leaf://${leafUser}:${leafUser}@${leafAddress(voter, plane.port)}`),
  );
  return {
    domain: machineToken(machine),
    config: `
# A control server whose cable was pulled is noticed.
ping_interval: "5s"
ping_max: 2
leafnodes {
  reconnect: 1
  remotes: [{ urls: [${urls.join(', ')}], no_randomize: true, tls { ${tlsConfig(dir)}, handshake_first: true } }]
}
`,
  };
}

/** Where the streams of all machines are reached. */
export const siteAddress = (plane: ControlServers): BusAddress => ({
  ...controlAddress(plane),
  inboxPrefix: `${siteAnswers}.${machineToken(plane.machine)}`,
});

import { isIP } from 'node:net';
import { retry } from '../bus/children/retry.ts';
import { type Door, type DoorOptions, openDoor } from './door.ts';
import { peerGate } from './relay/peer-gate.ts';
import { peerRoutes } from './relay/peer-routes.ts';
import type { ApiServices } from './request/api-services.ts';
import type { Site } from './state/site.ts';
import { BasePath } from './transport/base-path.ts';
import { createListener } from './transport/listener.ts';

interface PeerDoorOptions
  extends Pick<DoorOptions, 'table' | 'machine' | 'headers' | 'proxies' | 'log'>,
    Pick<ApiServices, 'recordings' | 'logs' | 'catalogueProgress'> {}

const retryMs = 5000;

/**
 * On which the other machines of the cluster ask for what only this one can answer. Nothing waits for it: it is opened again
 * and again, because the machine's address may not be there yet.
 *
 * @returns a function that closes it.
 */
export function keepPeerDoor(site: Site, options: PeerDoorOptions): () => Promise<void> {
  const closing = new AbortController();
  const opened = retry(() => openPeerDoor(site, options), {
    pauseMs: (attempt) => (attempt === 1 ? 0 : retryMs),
    signal: closing.signal,
    onFailure: ({ message }) => options.log.error(`other machines cannot ask this one: ${message}`),
  }).catch(() => undefined);
  return async () => {
    closing.abort();
    await (await opened)?.close();
  };
}

async function openPeerDoor({ machine, keys, relayPort }: Site, options: PeerDoorOptions): Promise<Door> {
  const { ca, cert, key } = keys;
  const server = createListener(
    { ca, cert, key, requestCert: true, rejectUnauthorized: true },
    options.headers,
  );
  const table = [...options.table.filter(({ relay }) => relay), ...peerRoutes(options)];
  const door = openDoor({ ...options, table, server, gate: peerGate, basePath: new BasePath('') });
  try {
    await door.listen({ host: isIP(machine) ? machine : '0.0.0.0', port: relayPort });
    return door;
  } catch (error) {
    await door.close();
    throw error;
  }
}

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ClusterKeys } from './cluster-keys.ts';

/** Writes a machine's keys for a nats-server. */
export async function writeKeyFiles(dir: string, keys: ClusterKeys): Promise<void> {
  for (const [name, pem] of Object.entries(keys)) {
    await writeFile(join(dir, `${name}.pem`), pem, { mode: 0o600 });
  }
}

/** These files in the configuration of a nats-server that believes nobody without a certificate of the cluster. */
export function tlsConfig(dir: string): string {
  const file = (name: keyof ClusterKeys) => JSON.stringify(join(dir, `${name}.pem`));
  return `ca_file: ${file('ca')}, cert_file: ${file('cert')}, key_file: ${file('key')}, verify: true, timeout: 5`;
}

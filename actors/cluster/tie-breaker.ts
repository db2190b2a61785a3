import { mkdir } from 'node:fs/promises';
import { hostname } from 'node:os';
import { Logger } from '../../bus/logging/logger.ts';
import { newClusterSecret } from '../../bus/nats/control/cluster-keys.ts';
import { ServiceState } from '../../bus/systemd/service-state.ts';
import type { ClusterConfig } from '../../store/config/cluster-config.ts';
import { loadClusterConfig } from '../../store/config/config.ts';
import { ConfigError } from '../../store/config/config-error.ts';
import { ClusterMember } from './cluster-member.ts';

/** `npm start -- --new-cluster`: prints what every machine of a new cluster has in its configuration. */
export function printNewCluster(): void {
  process.stdout.write(
    `# The same lines on every machine; whoever has the secret is one of them. Names that each of them can look up, or addresses.\n[cluster]\nmachines = ["${hostname()}", "SECOND", "THIRD"]\nsecret = "${newClusterSecret()}"\n`,
  );
}

/**
 * Reads the configuration of a machine that only votes, in which [cluster] is enough.
 *
 * @param path its `sentryshot.toml`.
 * @throws {ConfigError} if this machine is not one that votes.
 */
export async function loadTieBreaker(
  path: string,
): Promise<{ readonly file: string; readonly cluster: ClusterConfig; readonly storageDir: string }> {
  const { file, cluster, storageDir } = await loadClusterConfig(path);
  if (!cluster) throw new ConfigError(`${file}: cluster: expected a table [cluster] for a tie-breaker`);
  if (cluster.machines.indexOf(cluster.name) > 2) {
    throw new ConfigError(`${file}: cluster.machines: expected the tie-breaker among the first three`);
  }
  return { file, cluster, storageDir };
}

/**
 * `npm start -- --tie-breaker`: votes on who records what until SIGINT or SIGTERM, and records nothing itself: the third
 * vote of two recorders, on any small machine.
 *
 * @param path its `sentryshot.toml`.
 * @param lockFolder keeps other recorders from a folder.
 * @throws {ConfigError} if this machine is not one that votes.
 */
export async function runTieBreaker(
  path: string,
  lockFolder: (folder: string) => Promise<unknown>,
): Promise<void> {
  const { cluster, storageDir } = await loadTieBreaker(path);
  await mkdir(storageDir, { recursive: true, mode: 0o750 });
  // Two servers on one folder would corrupt its records.
  await lockFolder(storageDir);
  const log = new Logger().source('cluster');
  const service = new ServiceState(process.env);
  const ended = new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => resolve());
  });
  const member = await ClusterMember.start({ cluster, storageDir, log });
  process.stdout.write(`Voting as ${cluster.name}\n`);
  service.ready(`Voting as ${cluster.name}`);
  await ended;
  service.stopping();
  await member.close();
}

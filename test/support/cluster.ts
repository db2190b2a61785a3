import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse, stringify } from 'smol-toml';
import { Bus } from '../../bus/nats/bus.ts';
import { makeClusterKeys, newClusterSecret } from '../../bus/nats/control/cluster-keys.ts';
import { controlAddress } from '../../bus/nats/control/control-server.ts';
import { type Child, startChild } from './child.ts';
import { temporaryFolder } from './folder.ts';
import { newerNatsServer } from './newer-nats.ts';
import { type Recorder, type RecorderOptions, recorderProgram, startRecorder } from './recorder.ts';
import { waitFor } from './wait.ts';

/** A recorder of a cluster, by the name that the others know. */
export interface ClusterRecorder {
  readonly name: string;
  readonly recorder: Recorder;
}

interface TestMachine {
  readonly name: string;
  readonly isAlive: boolean;
  readonly owned: readonly string[];
  readonly provisional: readonly string[];
}

export const clusterSecret = newClusterSecret();
const port = 16_222;

/** Addresses of this test alone, so that several can run at once. */
export const clusterMachines = [1, 2, 3].map((host) => `127.${10 + (process.pid % 200)}.0.${host}`);

/** What a machine of the test's cluster has in its configuration, and in its environment. @param machines all that are listed. */
async function clusterOptions(name: string, machines = clusterMachines) {
  const cluster = { machines, secret: clusterSecret, name, port };
  return { config: { cluster }, env: { PATH: `${await newerNatsServer()}:${process.env['PATH']}` } };
}

/**
 * Starts recorders that are one system, each with these monitors and folders of its own.
 *
 * @param more keys of `sentryshot.toml`, the same on all of them; those of `[cluster]` are added to the usual ones.
 * @param places of each, where it has a network or a build of its own.
 */
export async function startCluster(
  monitors: readonly { readonly id: string }[],
  machines: readonly string[] = clusterMachines,
  { cluster: moreOfCluster, ...more }: Readonly<Record<string, unknown>> & { cluster?: object } = {},
  places: readonly Pick<RecorderOptions, 'place' | 'build'>[] = [],
): Promise<ClusterRecorder[]> {
  return Promise.all(
    machines.map(async (name, index) => {
      const { config, env } = await clusterOptions(name);
      const cluster = { ...config.cluster, ...moreOfCluster };
      const usual = { config: { cluster, ...more }, env, monitors, startDeadlineMs: 60_000 };
      return { name, recorder: await startRecorder({ ...usual, ...places[index] }) };
    }),
  );
}

/** Starts a recorder that is alone, and may become a machine of the cluster later. */
export async function startAlone(monitors: readonly { readonly id: string }[]): Promise<Recorder> {
  const { env } = await clusterOptions('');
  return startRecorder({ env, monitors, startDeadlineMs: 60_000 });
}

/**
 * Stops a recorder, writes `[cluster]` into its configuration for this machine, or removes it, and starts it again.
 *
 * @param machines all that are listed.
 */
export async function restartAs(
  recorder: Recorder,
  name: string | undefined,
  machines: string[] = clusterMachines,
): Promise<Recorder> {
  await recorder.stop();
  const file = join(recorder.folder, 'configs', 'sentryshot.toml');
  const { cluster: _, ...rest } = parse(await readFile(file, 'utf8'));
  const joined = name === undefined ? {} : (await clusterOptions(name, machines)).config;
  await writeFile(file, stringify({ ...rest, ...joined }));
  return recorder.restart();
}

/** `npm start -- --tie-breaker` on another machine of the cluster. @param more variables of its environment. */
export async function startTieBreaker(name: string, more: NodeJS.ProcessEnv = {}): Promise<Child> {
  const { config, env } = await clusterOptions(name);
  const folder = await temporaryFolder();
  const file = join(folder, 'sentryshot.toml');
  await writeFile(file, stringify({ storage_dir: join(folder, 'storage'), ...config }));
  const args = ['--input-type=module', '--eval', recorderProgram(), '--', '--tie-breaker', '--config', file];
  const child = startChild('node', args, { cwd: folder, env: { ...env, ...more } });
  await child.line(/^Voting as /, 60_000);
  return child;
}

/** Waits until each voter has a copy of the shared configuration, up to date. */
export async function configurationOnAllVoters(): Promise<void> {
  const [machine = ''] = clusterMachines;
  const keys = await makeClusterKeys(clusterSecret, clusterMachines);
  const bus = await Bus.connect(controlAddress({ machine, voters: clusterMachines, port, keys }), 'test');
  const { streams } = await bus.jetStream.manager;
  const isThere = async () => {
    const { config, cluster } = await streams.info('CONFIG');
    return config.num_replicas === 3 && cluster?.replicas?.filter(({ current }) => current).length === 2;
  };
  await waitFor(isThere, 60_000, 'three copies of the configuration').finally(() => bus.close());
}

/** The machines, as this one hears them. */
export const machinesOf = ({ recorder }: ClusterRecorder) => recorder.get<TestMachine[]>('/api/machines');

/** How often each monitor is owned, or recorded without that, in what each of these machines says of itself. */
async function recordersOf(
  cluster: readonly ClusterRecorder[],
  monitors: readonly { readonly id: string }[],
): Promise<Record<string, string>> {
  const own = await Promise.all(
    cluster.map(async (member) => (await machinesOf(member)).find(({ name }) => name === member.name)),
  );
  const count = (list: 'owned' | 'provisional', id: string) =>
    own.filter((machine) => machine?.[list].includes(id)).length;
  return Object.fromEntries(
    monitors.map(({ id }) => [id, `${count('owned', id)} owner, ${count('provisional', id)} others`]),
  );
}

/**
 * Waits until each monitor is recorded by its owner and by nobody else.
 *
 * @param deadlineMs a planned move takes up to 7 s, and there is one after the other while the machines are not evenly burdened.
 */
export async function settledCluster(
  cluster: readonly ClusterRecorder[],
  monitors: readonly { readonly id: string }[],
  deadlineMs = 90_000,
): Promise<void> {
  const isSettled = async () => {
    const found = Object.entries(await recordersOf(cluster, monitors));
    const others = found.filter(([, recorders]) => recorders !== '1 owner, 0 others');
    if (others.length > 0) throw new Error(others.join('; '));
    return true;
  };
  await waitFor(isSettled, deadlineMs, 'one recorder for each monitor');
}

interface Listed {
  readonly start: number;
  readonly machine?: string;
}

/** When the recordings of a monitor begin that are on the disks of these machines: Unix times in microseconds. */
export async function recordedFrom(cluster: readonly ClusterRecorder[], id: string): Promise<number[]> {
  const found = await Promise.all(
    cluster.map(async ({ name, recorder }) => {
      const list = await recorder.get<readonly Listed[]>(`/api/recording/query?monitors=${id}`);
      return list.filter(({ machine = name }) => machine === name);
    }),
  );
  return found.flat().map(({ start }) => start);
}

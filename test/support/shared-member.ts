import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { OwnCopy } from '../../actors/cluster/configuration/own-copy.ts';
import { SharedConfiguration } from '../../actors/cluster/configuration/shared-configuration.ts';
import { detectors } from '../../actors/detectors/host/detector-list.ts';
import type { Bus } from '../../bus/nats/bus.ts';
import { ConfigRecords } from '../../bus/nats/control/config-records.ts';
import { Accounts } from '../../store/accounts/accounts.ts';
import { Monitors } from '../../store/monitors/monitors.ts';
import { startTestBus, type TestBus } from './bus.ts';
import { atEnd } from './cleanup.ts';
import { temporaryFolder } from './folder.ts';
import { waitFor } from './wait.ts';

/** A machine's files, and what keeps them equal to those of the others: on one nats-server, without elections. */
export interface SharedMember {
  readonly folder: string;
  readonly monitors: Monitors;
  readonly accounts: Accounts;
  readonly configuration: SharedConfiguration;
  /** What it has logged. */
  readonly lines: readonly string[];
  /** Joins the others. @param loses the answers to this many changes get lost. */
  connect(loses?: number): Promise<void>;
  /** Waits until it has as many changes as another one. */
  follow(other: SharedMember): Promise<void>;
  /** Ends it, and starts it again with its files; it is not connected. */
  restart(): Promise<SharedMember>;
}

export interface SharedMemberOptions {
  readonly name: string;
  readonly bus: TestBus;
  readonly isFirst?: boolean;
  readonly monitors?: readonly { readonly id: string }[];
  readonly hasMajority?: () => boolean;
}

/** Its changes are stored, but it does not hear so the first times. */
class DeafRecords extends ConfigRecords {
  #loses: number;

  constructor(bus: Bus, loses: number) {
    super(bus, 1);
    this.#loses = loses;
  }

  override async change(...change: Parameters<ConfigRecords['change']>) {
    const answer = await super.change(...change);
    this.#loses -= 1;
    if (this.#loses >= 0) throw new Error('timeout');
    return answer;
  }
}

const tokenKey = new Uint8Array(32);

/** Makes the files of a machine: these monitors, and an account `admin`. */
export async function startMember(options: SharedMemberOptions): Promise<SharedMember> {
  const folder = await temporaryFolder();
  await mkdir(join(folder, 'monitors'));
  for (const monitor of options.monitors ?? [])
    await writeFile(join(folder, 'monitors', `${monitor.id}.json`), JSON.stringify(monitor));
  const accounts = await Accounts.open(folder);
  await accounts.put({ id: 'admin', username: 'admin', isAdmin: true, plainPassword: options.name });
  return start(folder, options);
}

/** Two machines that have joined: the cluster began with the monitors of the first one. */
export async function startPair(monitors: readonly { readonly id: string }[]) {
  const bus = await startTestBus();
  const first = await startMember({ name: 'nvr1', bus, isFirst: true, monitors });
  await first.connect();
  const second = await startMember({ name: 'nvr2', bus });
  await second.connect();
  return { bus, first, second };
}

/** What it had before it was one of the cluster. */
export const keptFolders = async ({ folder }: SharedMember) =>
  (await readdir(folder)).filter((name) => name.startsWith('before-cluster-'));

async function start(folder: string, options: SharedMemberOptions): Promise<SharedMember> {
  const { name, bus, isFirst = false, hasMajority = () => true } = options;
  const lines: string[] = [];
  const say = (level: string) => (message: string, id?: string) =>
    void lines.push(`${level}: ${id === undefined ? '' : `${id}: `}${message}`);
  const [monitors, accounts] = [await Monitors.open(folder, { detectors }), await Accounts.open(folder)];
  const configuration = new SharedConfiguration({
    ...{ machine: name, monitors, accounts, copy: await OwnCopy.open(folder) },
    log: { error: say('error'), warning: say('warning'), info: say('info'), debug: say('debug') },
    isFirst: () => isFirst,
    hasMajority: async () => hasMajority(),
    onStored: ({ kind, id }, machine) => say('stored')(`${kind} ${id} of ${machine}`),
    onJoined: (deleted) => {
      if (deleted.length > 0) say('deleted')(deleted.join(', '));
    },
  });
  monitors.share(configuration);
  accounts.share(configuration, tokenKey);
  atEnd(async () => configuration.close());
  return {
    ...{ folder, monitors, accounts, configuration, lines },
    async connect(loses = 0) {
      const connection = await bus.connect();
      configuration.follow(loses > 0 ? new DeafRecords(connection, loses) : new ConfigRecords(connection, 1));
      await waitFor(() => configuration.version > 0, 10_000, `${name} to join`);
    },
    async follow(other) {
      configuration.hear(other.configuration.version);
      await waitFor(() => configuration.version >= other.configuration.version, 10_000, `${name} to follow`);
    },
    async restart() {
      configuration.close();
      return start(folder, options);
    },
  };
}

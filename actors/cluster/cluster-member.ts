import { randomText } from '../../bus/base/random.ts';
import type { Log } from '../../bus/log.ts';
import type { VoiceSite } from '../../bus/mqtt/voice/site-voice.ts';
import type { HeardMachine } from '../../bus/mqtt/voice/speakers.ts';
import type { Bus } from '../../bus/nats/bus.ts';
import {
  type ClusterKeys,
  clusterDigest,
  clusterTokenKey,
  makeClusterKeys,
} from '../../bus/nats/control/cluster-keys.ts';
import { ConfigRecords } from '../../bus/nats/control/config-records.ts';
import {
  heartbeats,
  type MachineReport,
  type SentHeartbeat,
} from '../../bus/nats/control/control-messages.ts';
import { OwnerRecords } from '../../bus/nats/control/owner-records.ts';
import { status } from '../../bus/subjects.ts';
import type { DistantMonitor, Site } from '../../http/state/site.ts';
import type { Accounts } from '../../store/accounts/accounts.ts';
import type { StoredRecord } from '../../store/base/agreement.ts';
import type { ClusterConfig } from '../../store/config/cluster-config.ts';
import type { Monitors } from '../../store/monitors/monitors.ts';
import { OwnCopy } from './configuration/own-copy.ts';
import { SharedConfiguration } from './configuration/shared-configuration.ts';
import { ControlPlane } from './control-plane.ts';
import { reportMachines } from './machine-report.ts';
import { OwnerChanges } from './owner-changes.ts';
import { Ownership } from './ownership/ownership.ts';
import { sharedMonitors } from './ownership/placement.ts';
import { SiteLog } from './site-log.ts';
import { SiteMonitors } from './site-monitors.ts';
import { TenureReports } from './tenure-reports.ts';

export interface ClusterMemberOptions {
  readonly cluster: ClusterConfig;
  readonly storageDir: string;
  readonly log: Log;
  /** Of a recorder; a machine without them votes only. */
  readonly stored?: {
    readonly configDir: string;
    readonly monitors: Monitors;
    readonly accounts: Accounts;
  };
}

const decideMs = 200;
const beatMs = 500;
/** Above the port between the servers, and the one of their clients. */
const relayPortOffset = 3;

/** This machine as one of a cluster: it hears the others, decides with `Ownership`, and reports what it attends. */
export class ClusterMember implements Site, VoiceSite {
  readonly machine: string;
  readonly machines: readonly string[];
  readonly relayPort: number;
  readonly keys: ClusterKeys;
  readonly plane: ControlPlane;
  readonly #options: ClusterMemberOptions;
  readonly #ownership: Ownership;
  readonly #siteLog: SiteLog;
  /** Of a recorder. */
  readonly #configuration: SharedConfiguration | undefined;
  readonly #session = randomText(22);
  readonly #listeners = new Set<(monitorID: string) => void>();
  readonly #siteMonitors: SiteMonitors;
  readonly #distantListeners = new Set<(monitorID: string) => void>();
  readonly #heardListeners = new Set<(machine: string | undefined) => void>();
  readonly #changes: OwnerChanges;
  readonly #tenures: TenureReports;
  #attended: ReadonlySet<string> = new Set();
  #lastBeat = '';
  #beatAt = 0;
  readonly #timer: NodeJS.Timeout;

  private constructor(options: ClusterMemberOptions, keys: ClusterKeys, copy: OwnCopy | undefined) {
    this.keys = keys;
    const { cluster, stored, log } = options;
    this.machine = cluster.name;
    this.machines = cluster.machines;
    this.relayPort = cluster.port + relayPortOffset;
    const monitors = () => sharedMonitors(stored?.monitors.list() ?? [], cluster.machines);
    const monitorIDs = () => monitors().map(({ id }) => id);
    this.#options = options;
    this.plane = new ControlPlane(cluster, keys, log);
    const { voters } = this.plane;
    const startedAt = performance.now();
    this.#siteLog = new SiteLog(cluster, log, startedAt);
    this.#ownership = new Ownership({
      ...{ machine: cluster.name, capacity: stored ? cluster.capacity : 0, voters },
      ...{ monitors, withoutQuorum: cluster.withoutQuorum, startedAt },
    });
    this.#tenures = new TenureReports(this.#ownership.tenures);
    const storedIDs = () => stored?.monitors.list().map(({ id }) => id) ?? [];
    this.#changes = new OwnerChanges(this.#ownership, this.#siteLog, storedIDs);
    this.#siteMonitors = new SiteMonitors({ machine: cluster.name, monitorIDs });
    if (stored && copy) {
      this.#configuration = new SharedConfiguration({
        ...{ machine: cluster.name, monitors: stored.monitors, accounts: stored.accounts, copy, log },
        isFirst: () => this.#isFirst(),
        hasMajority: () => this.plane.hasMajority(),
        onStored: (record, machine) => this.#stored(record, machine),
        onJoined: (deleted) => void this.#changes.forget(deleted),
      });
      stored.monitors.share(this.#configuration);
      stored.accounts.share(this.#configuration, clusterTokenKey(cluster.secret));
    }
    this.#timer = setInterval(() => this.#decide(), decideMs);
  }

  /**
   * Does not wait for the other machines, nor for its own vote: recording begins without it.
   *
   * @throws {NatsVersionError} if its nats-server is too old.
   */
  static async start(options: ClusterMemberOptions): Promise<ClusterMember> {
    const { cluster, stored, storageDir } = options;
    const keys = await makeClusterKeys(cluster.secret, cluster.machines);
    const member = new ClusterMember(options, keys, stored && (await OwnCopy.open(stored.configDir)));
    for (const monitor of stored?.monitors.list() ?? []) member.#siteLog.checkMachines(monitor);
    await member.plane.open(storageDir, (bus) => member.#attach(bus));
    return member;
  }

  isAlive(machine: string): boolean {
    return this.#ownership.alive(performance.now()).some((beat) => beat.machine === machine);
  }

  /** Names the cluster to programs of the house, and does not reveal its secret. */
  get installation(): string {
    return `cluster-${clusterDigest(this.#options.cluster.secret)}`;
  }

  /** Whether this machine records the monitor, or tries to. */
  attends(monitorID: string): boolean {
    return this.#ownership.attended.has(monitorID);
  }

  /**
   * Calls `listener` with each monitor that is attended from now on, or no longer, or that was changed.
   *
   * @returns a function that ends it.
   */
  onChange(listener: (monitorID: string) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  distant(monitorID: string): DistantMonitor | undefined {
    return this.#siteMonitors.distant(monitorID);
  }

  onDistantChange(listener: (monitorID: string) => void): () => void {
    this.#distantListeners.add(listener);
    return () => this.#distantListeners.delete(listener);
  }

  heard(): readonly HeardMachine[] {
    return this.#ownership.alive(performance.now());
  }

  onHeard(listener: (machine: string | undefined) => void): () => void {
    this.#heardListeners.add(listener);
    return () => this.#heardListeners.delete(listener);
  }

  /** Listens on this machine's own bus to how monitors are, and which pictures arrive. */
  follow(bus: Bus): void {
    this.#tenures.attach(bus);
    bus.subscribe(status, ['*'], (now) => {
      this.#siteMonitors.learn(now);
      this.#ownership.setStreaming(now.monitorID, now.state === 'streaming');
      this.#beat();
    });
  }

  /** The recorder is stopping: the others record its monitors at once. */
  leave(): void {
    clearInterval(this.#timer);
    this.#ownership.leave();
    this.#tellTenures();
    this.#beat();
  }

  /** All machines of the configuration, as they are heard here. */
  report(): readonly MachineReport[] {
    const now = performance.now();
    const alive = this.#ownership.alive(now);
    const waitedFor = this.#ownership.quorum.waitedFor(alive);
    return reportMachines(this.#options.cluster, { voters: this.plane.voters, alive, waitedFor });
  }

  /** Somebody knows that this machine is off: its monitors need not wait for it. */
  declareOff(machine: string): void {
    this.#ownership.quorum.declareOff(machine);
  }

  async close(): Promise<void> {
    this.leave();
    this.#configuration?.close();
    await this.plane.close();
  }

  #attach(bus: Bus): void {
    const copies = this.plane.voters.length;
    bus.subscribe(heartbeats, [], (beat) => this.#hear(beat));
    const records = new OwnerRecords(bus, copies);
    void this.plane.keepOpening(async () => {
      const isWhole = await records.open();
      if (isWhole) this.#siteLog.copiesAt(await records.holders(), this.plane.voters);
      return isWhole;
    });
    this.#changes.attach(records);
    this.#configuration?.follow(new ConfigRecords(bus, copies));
  }

  #hear({ session, config, time, ...beat }: SentHeartbeat): void {
    if (this.#siteLog.hearsStranger(beat.machine)) return;
    if (beat.machine === this.machine && session !== this.#session) this.#siteLog.hearsTwin();
    if (this.#options.stored) this.#siteLog.hearsTime(beat, time, performance.now());
    this.#ownership.hear(beat, performance.now());
    this.#configuration?.hear(config);
    this.#tellDistant();
    if (beat.machine === this.#options.cluster.name) return;
    for (const listener of this.#heardListeners) listener(beat.machine);
  }

  /** Whether a new cluster has the configuration of this machine: those named before it have none. */
  #isFirst(): boolean {
    const { machines, name } = this.#options.cluster;
    const voteOnly = this.#ownership.alive(performance.now()).filter(({ capacity }) => capacity === 0);
    return machines
      .slice(0, machines.indexOf(name))
      .every((before) => voteOnly.some(({ machine }) => machine === before));
  }

  #stored({ kind, id, value }: StoredRecord, machine: string): void {
    const isOwn = machine === this.#options.cluster.name;
    if (!isOwn) this.#siteLog.changed(kind, id, value === null, machine);
    // The others are told which change this machine has.
    this.#beat();
    if (kind !== 'monitor') return;
    const monitor = this.#options.stored?.monitors.get(id);
    if (monitor) this.#siteLog.checkMachines(monitor);
    for (const listener of this.#listeners) listener(id);
    if (value !== null) return;
    this.#ownership.forget(id, Number.POSITIVE_INFINITY);
    if (isOwn) void this.#changes.forget([id]);
  }

  #decide(): void {
    const now = performance.now();
    const proposals = this.#ownership.decide(now);
    const attended = new Set(this.#ownership.attended);
    const before = this.#attended;
    this.#attended = attended;
    const changed = [...new Set([...before, ...attended])].filter(
      (id) => before.has(id) !== attended.has(id),
    );
    for (const id of changed) {
      this.#siteLog.attends(id, attended.has(id), this.#ownership.ownerOf(id));
      for (const listener of this.#listeners) listener(id);
    }
    this.#tellDistant();
    this.#tellTenures();
    this.#siteLog.hears(this.#ownership.alive(now), this.#ownership.hasQuorum(now), now);
    for (const proposal of proposals) void this.#changes.propose(proposal);
    if (this.#ownership.mustRead) void this.#changes.read();
    this.#beat();
    for (const listener of this.#heardListeners) listener(undefined);
  }

  #tellTenures(): void {
    const monitors = this.#options.stored?.monitors.list() ?? [];
    this.#tenures.update(monitors.filter(({ enable }) => enable).map(({ id }) => id));
  }

  #tellDistant(): void {
    const changed = this.#siteMonitors.update(this.#ownership.alive(performance.now()));
    for (const id of changed) for (const listener of this.#distantListeners) listener(id);
  }

  /** Publishes at each change, and otherwise twice a second. */
  #beat(): void {
    const config = this.#configuration?.version ?? 0;
    const beat = {
      ...this.#siteMonitors.withStatuses(this.#ownership.beat()),
      session: this.#session,
      config,
    };
    const text = JSON.stringify(beat);
    const now = performance.now();
    const { bus } = this.plane;
    if (!bus?.connected || (text === this.#lastBeat && now - this.#beatAt < beatMs)) return;
    this.#lastBeat = text;
    this.#beatAt = now;
    bus.publish(heartbeats, [], { ...beat, time: Date.now() });
  }
}

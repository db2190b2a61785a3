import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { retry } from '../../bus/children/retry.ts';
import type { Log } from '../../bus/log.ts';
import { Bus } from '../../bus/nats/bus.ts';
import { type ClusterKeys, makeClusterKeys } from '../../bus/nats/control/cluster-keys.ts';
import { heartbeats, type MachineReport } from '../../bus/nats/control/control-messages.ts';
import {
  type ControlServerOptions,
  checkNatsVersion,
  controlAddress,
  startControlServer,
} from '../../bus/nats/control/control-server.ts';
import { OwnerRecords, type Proposal } from '../../bus/nats/control/owner-records.ts';
import type { NatsServer } from '../../bus/nats/nats-server.ts';
import { status } from '../../bus/subjects.ts';
import type { DistantMonitor, Site } from '../../http/state/site.ts';
import type { ClusterConfig } from '../../store/config/cluster-config.ts';
import { Ownership } from './ownership.ts';
import type { SharedMonitor } from './placement.ts';
import { SiteLog } from './site-log.ts';
import { SiteMonitors } from './site-monitors.ts';

export interface ClusterMemberOptions {
  readonly cluster: ClusterConfig;
  readonly storageDir: string;
  readonly log: Log;
  /** The monitors that are enabled. */
  readonly monitors: () => readonly SharedMonitor[];
  /** It votes only. */
  readonly isTieBreaker?: boolean;
}

const decideMs = 200;
const beatMs = 500;
const retryMs = 1000;
const serveRetryMs = 5000;
const maxVoters = 3;
/** Above the port between the servers, and the one of their clients. */
const relayPortOffset = 3;

/** This machine as one of a cluster: it hears the others, decides with `Ownership`, and reports what it attends. */
export class ClusterMember implements Site {
  readonly keys: ClusterKeys;
  readonly #options: ClusterMemberOptions;
  readonly #voters: readonly string[];
  readonly #ownership: Ownership;
  readonly #siteLog: SiteLog;
  /** Of a machine that votes. */
  #server: Promise<NatsServer | undefined> = Promise.resolve(undefined);
  readonly #closing = new AbortController();
  readonly #listeners = new Set<(monitorID: string) => void>();
  readonly #siteMonitors: SiteMonitors;
  readonly #distantListeners = new Set<(monitorID: string) => void>();
  #bus: Bus | undefined;
  #records: OwnerRecords | undefined;
  #isReading = false;
  #attended: ReadonlySet<string> = new Set();
  #lastBeat = '';
  #beatAt = 0;
  readonly #timer: NodeJS.Timeout;

  private constructor(options: ClusterMemberOptions, voters: readonly string[], keys: ClusterKeys) {
    this.keys = keys;
    const { cluster, monitors, log, isTieBreaker = false } = options;
    this.#options = options;
    this.#voters = voters;
    const startedAt = performance.now();
    this.#siteLog = new SiteLog(cluster, log, startedAt);
    this.#ownership = new Ownership({
      ...{ machine: cluster.name, capacity: isTieBreaker ? 0 : cluster.capacity, voters, monitors },
      withoutQuorum: cluster.withoutQuorum,
      startedAt,
    });
    this.#siteMonitors = new SiteMonitors({
      machine: cluster.name,
      monitorIDs: () => monitors().map(({ id }) => id),
    });
    this.#timer = setInterval(() => this.#decide(), decideMs);
  }

  /**
   * Does not wait for the other machines, nor for its own vote: recording begins without it.
   *
   * @throws {NatsVersionError} if this machine votes and its nats-server is too old.
   */
  static async start(options: ClusterMemberOptions): Promise<ClusterMember> {
    const { cluster, storageDir, log } = options;
    const { machines, name: machine, secret, port } = cluster;
    const voters = machines.slice(0, maxVoters);
    const keys = await makeClusterKeys(secret, machines);
    const plane = { machine, voters, port, keys };
    const votes = voters.includes(machine);
    if (votes) await checkNatsVersion();
    for (const { id, machines: reaching = [] } of options.monitors()) {
      const unknown = reaching.filter((one) => !machines.includes(one));
      if (unknown.length > 0) log.error(`machines: [cluster] has no ${unknown.join(', ')}`, id);
    }
    const member = new ClusterMember(options, voters, keys);
    if (votes) member.#serve({ ...plane, dir: join(storageDir, 'cluster'), log });
    void member.#connect(controlAddress(plane));
    return member;
  }

  get machine(): string {
    return this.#options.cluster.name;
  }

  get relayPort(): number {
    return this.#options.cluster.port + relayPortOffset;
  }

  /** Whether this machine records the monitor, or tries to. */
  attends(monitorID: string): boolean {
    return this.#ownership.attended.has(monitorID);
  }

  /** Calls `listener` with each monitor that is attended from now on, or no longer. @returns a function that ends it. */
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

  /** Listens on this machine's own bus to how monitors are, and which pictures arrive. */
  follow(bus: Bus): void {
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
    this.#beat();
  }

  /** All machines of the configuration, as they are heard here. */
  report(): readonly MachineReport[] {
    const { machines, name } = this.#options.cluster;
    const alive = this.#ownership.alive(performance.now());
    return machines.map((machine) => {
      const beat = alive.find((heard) => heard.machine === machine);
      const attends = beat?.attends ?? [];
      return {
        name: machine,
        isThis: machine === name,
        isAlive: beat !== undefined,
        votes: this.#voters.includes(machine),
        capacity: beat?.capacity ?? null,
        owned: attends.filter(({ token }) => token > 0).map(({ id }) => id),
        provisional: attends.filter(({ token }) => token === 0).map(({ id }) => id),
      };
    });
  }

  async close(): Promise<void> {
    this.leave();
    this.#closing.abort();
    await this.#bus?.close();
    await (await this.#server)?.stop();
  }

  /** Again and again: its address may not be there yet, or its port still be taken. */
  #serve(options: ControlServerOptions): void {
    this.#server = retry(() => startControlServer(options), {
      pauseMs: (attempt) => (attempt === 1 ? 0 : serveRetryMs),
      signal: this.#closing.signal,
      onFailure: ({ message }) =>
        options.log.error(`the cluster's nats-server cannot be started: ${message}`),
    }).catch(() => undefined);
  }

  async #connect(address: ReturnType<typeof controlAddress>): Promise<void> {
    const { log, cluster } = this.#options;
    while (!this.#closing.signal.aborted) {
      try {
        const bus = await Bus.connect(address, cluster.name);
        if (this.#closing.signal.aborted) return await bus.close();
        bus.subscribe(heartbeats, [], (beat) => {
          this.#ownership.hear(beat, performance.now());
          this.#tellDistant();
        });
        this.#bus = bus;
        this.#records = new OwnerRecords(bus, this.#voters.length);
        return;
      } catch (error) {
        log.warning(`the cluster cannot be reached: ${(error as Error).message}`);
        await sleep(retryMs, undefined, { signal: this.#closing.signal }).catch(() => {});
      }
    }
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
    this.#siteLog.hears(this.#ownership.alive(now), this.#ownership.hasQuorum(now), now);
    for (const proposal of proposals) void this.#propose(proposal);
    if (this.#ownership.mustRead && !this.#isReading) void this.#read();
    this.#beat();
  }

  #tellDistant(): void {
    const changed = this.#siteMonitors.update(this.#ownership.alive(performance.now()));
    for (const id of changed) for (const listener of this.#distantListeners) listener(id);
  }

  /** Publishes at each change, and otherwise twice a second. */
  #beat(): void {
    const beat = this.#siteMonitors.withStatuses(this.#ownership.beat());
    const text = JSON.stringify(beat);
    const now = performance.now();
    if (!this.#bus?.connected || (text === this.#lastBeat && now - this.#beatAt < beatMs)) return;
    this.#lastBeat = text;
    this.#beatAt = now;
    this.#bus.publish(heartbeats, [], beat);
  }

  async #propose(proposal: Proposal): Promise<void> {
    const { id } = proposal;
    const record = await this.#records?.change(proposal).catch(() => undefined);
    if (record) {
      this.#ownership.learn(record, performance.now());
      this.#siteLog.stored(record);
    }
    this.#ownership.settled(id, record !== undefined, performance.now());
  }

  /** Once after the start, and when a record was not as expected; otherwise heartbeats say how they are. */
  async #read(): Promise<void> {
    if (!this.#records) return;
    this.#isReading = true;
    try {
      const { sequence, records } = await this.#records.read(this.#options.monitors().map(({ id }) => id));
      for (const record of records) this.#ownership.learn(record, performance.now());
      this.#ownership.caughtUp(sequence);
    } catch {
      await sleep(retryMs);
    } finally {
      this.#isReading = false;
    }
  }
}

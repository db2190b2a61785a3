import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { retry } from '../../bus/children/retry.ts';
import type { Log } from '../../bus/log.ts';
import { Bus } from '../../bus/nats/bus.ts';
import { type ClusterKeys, clusterDigest } from '../../bus/nats/control/cluster-keys.ts';
import { presence } from '../../bus/nats/control/control-messages.ts';
import {
  type ControlServerOptions,
  type ControlServers,
  checkNatsVersion,
  controlAddress,
  entrances,
  startControlServer,
} from '../../bus/nats/control/control-server.ts';
import { leafNode, siteAddress } from '../../bus/nats/control/leaf-node.ts';
import type { NatsServer, SiteMember } from '../../bus/nats/nats-server.ts';
import type { ClusterConfig } from '../../store/config/cluster-config.ts';
import type { LogSite } from '../../store/log/log-store.ts';

const retryMs = 1000;
const serveRetryMs = 5000;
const presenceMs = 1000;
const maxVoters = 3;

/** This machine's connection to the control plane, and its server there if it votes. */
export class ControlPlane {
  readonly servers: ControlServers;
  readonly #cluster: ClusterConfig;
  readonly #log: Log;
  readonly #closing = new AbortController();
  /** Of a machine that votes. */
  #server: Promise<NatsServer | undefined> = Promise.resolve(undefined);
  /** Whether that has started; false once it could not be: it is tried again. */
  #isServing: Promise<boolean> = Promise.resolve(true);
  #bus: Bus | undefined;

  constructor(cluster: ClusterConfig, keys: ClusterKeys, log: Log) {
    const { name: machine, machines, port } = cluster;
    this.#cluster = cluster;
    this.#log = log;
    this.servers = { machine, voters: machines.slice(0, maxVoters), port, keys };
  }

  /** The machines whose majority decides. */
  get voters(): readonly string[] {
    return this.servers.voters;
  }

  /** Undefined until there is a connection for the first time. */
  get bus(): Bus | undefined {
    return this.#bus;
  }

  /**
   * Does not wait for the connection, nor for this machine's own server.
   *
   * @param onConnect is called once, with the connection; it reconnects by itself.
   * @throws {NatsVersionError} if its nats-server is too old.
   */
  async open(storageDir: string, onConnect: (bus: Bus) => void): Promise<void> {
    const { name: machine, secret } = this.#cluster;
    await checkNatsVersion();
    if (this.voters.includes(machine)) {
      // With another secret it is another cluster.
      const dir = join(storageDir, 'cluster', clusterDigest(secret));
      this.#serve({ ...this.servers, dir, log: this.#log });
    }
    void this.#connect(onConnect);
  }

  /** Where the other machines' streams are read. */
  get streams(): LogSite {
    const { machines, name } = this.#cluster;
    return { address: siteAddress(this.servers), others: machines.filter((machine) => machine !== name) };
  }

  /** Lets the others read this machine's streams. @param dir the folder of its bus. */
  joinBus(dir: string): Promise<SiteMember> {
    return leafNode(dir, this.servers);
  }

  /** Whether a majority of the voters answers now. Heartbeats say how it was up to three seconds ago. */
  async hasMajority(): Promise<boolean> {
    const bus = this.#bus;
    if (!bus?.connected) return false;
    const isThere = (machine: string) =>
      bus.ask(presence(machine), {}, presenceMs).then(
        () => true,
        () => false,
      );
    const there = (await Promise.all(this.voters.map(isThere))).filter((found) => found);
    return there.length * 2 > this.voters.length;
  }

  /**
   * Opens a stream again until each voter has a copy of it: one may join much later than the others.
   *
   * @param open returns whether each has one.
   */
  async keepOpening(open: () => Promise<boolean>): Promise<void> {
    const { signal } = this.#closing;
    while (!signal.aborted && !(await open().catch(() => false)))
      await sleep(retryMs, undefined, { signal }).catch(() => {});
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#bus?.close();
    await (await this.#server)?.stop();
  }

  /** Again and again: its address may not be there yet, or its port still be taken. */
  #serve(options: ControlServerOptions): void {
    this.#isServing = new Promise((resolve) => {
      this.#server = retry(() => startControlServer(options), {
        pauseMs: (attempt) => (attempt === 1 ? 0 : serveRetryMs),
        signal: this.#closing.signal,
        onFailure: ({ message }) => {
          options.log.error(`the cluster's nats-server cannot be started: ${message}`);
          resolve(false);
        },
      }).catch(() => undefined);
      void this.#server.then(() => resolve(true));
    });
  }

  async #connect(onConnect: (bus: Bus) => void): Promise<void> {
    const { name } = this.#cluster;
    // Without its own server it reaches the others through theirs.
    const through = (await this.#isServing) ? entrances(this.servers) : this.voters;
    const address = controlAddress(this.servers, through);
    while (!this.#closing.signal.aborted) {
      try {
        const bus = await Bus.connect(address, name);
        if (this.#closing.signal.aborted) return await bus.close();
        bus.answer(presence(name), async () => ({}));
        this.#bus = bus;
        onConnect(bus);
        return;
      } catch (error) {
        this.#log.warning(`the cluster cannot be reached: ${(error as Error).message}`);
        await sleep(retryMs, undefined, { signal: this.#closing.signal }).catch(() => {});
      }
    }
  }
}

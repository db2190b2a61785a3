import { setTimeout as sleep } from 'node:timers/promises';
import { retry } from '../../../bus/children/retry.ts';
import type { LogEntry } from '../../../bus/messages.ts';
import { Bus } from '../../../bus/nats/bus.ts';
import type { BusAddress } from '../../../bus/nats/bus-address.ts';
import { machineToken } from '../../../bus/nats/control/machine-token.ts';
import { streamRange } from '../../../bus/nats/jetstream.ts';
import type { ProjectedStream } from '../projection/position.ts';
import { LogProjections, type StreamFailures } from '../projection/projections.ts';
import { LogStoreError } from '../schema/log-store-error.ts';
import type { MachineLog } from './machine-log.ts';

/** Where the streams of one machine are. */
interface Reached {
  readonly bus: Bus;
  readonly domain: string;
}

const retryMs = 1000;
const patienceMs = 500;
const pauseMs = (attempt: number) => (attempt === 1 ? 0 : retryMs);

export interface SiteStreamsOptions {
  /** Where the streams of all machines are reached. */
  readonly address: BusAddress;
  readonly machines: ReadonlyMap<string, MachineLog>;
  /** Those that are no longer machines of the cluster, or have another name now. */
  readonly former: readonly MachineLog[];
  /** The streams of a machine, of which nothing was read, are those of a former one: nothing is read until the log is opened anew. */
  onRenamed(former: MachineLog, machine: string): Promise<void>;
  /** Gets each log entry in the order of its machine, before it is stored. */
  entry(entry: LogEntry, machine: string): Promise<void> | void;
  readonly failures: StreamFailures;
}

/**
 * Reads the streams of the other machines of a cluster, of each from when it was first heard on, whenever it is there: one that only
 * votes has none.
 */
export class SiteStreams {
  readonly #options: SiteStreamsOptions;
  readonly #closing = new AbortController();
  readonly #projections: LogProjections[] = [];
  /** Of each machine that was heard, until it is read. */
  readonly #begun = new Map<string, Promise<void>>();
  /** Undefined if this was closed before. */
  readonly #bus: Promise<Bus | undefined>;

  /** Waits for nobody. */
  constructor(options: SiteStreamsOptions) {
    this.#options = options;
    this.#bus = this.#connect().catch(() => undefined);
  }

  /** @param machines those that are heard now, and record. */
  hear(machines: readonly string[]): void {
    for (const machine of machines) {
      const log = this.#options.machines.get(machine);
      if (log && !this.#begun.has(machine))
        this.#begun.set(
          machine,
          // It fails only when this is closed.
          this.#begin(machine, log).catch(() => {}),
        );
    }
  }

  /**
   * Stores what has arrived of these streams, within half a second: no question about this machine waits for others, which may be
   * offline, or far behind.
   */
  async commit(streams: readonly ProjectedStream[]): Promise<void> {
    const stored = Promise.all(this.#projections.map((each) => each.arrive(streams)));
    await Promise.race([stored, sleep(patienceMs, undefined, { ref: false })]);
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await Promise.all(this.#begun.values());
    await Promise.all(this.#projections.map((each) => each.close()));
    await (await this.#bus)?.close();
  }

  /** A machine that was given another name goes on with the streams that it had. */
  async #formerOf(log: MachineLog, { bus, domain }: Reached): Promise<MachineLog | undefined> {
    const { former } = this.#options;
    if (former.length === 0 || (await log.positions.read('LOGS')).identity !== '') return undefined;
    const { identity } = await streamRange(bus, 'LOGS', domain);
    for (const each of former) if ((await each.positions.read('LOGS')).identity === identity) return each;
    return undefined;
  }

  #connect(): Promise<Bus> {
    const { signal } = this.#closing;
    return retry(() => Bus.connect(this.#options.address, 'log store'), {
      ...{ pauseMs, signal },
      // What cannot be reached is in the log of the cluster.
      onFailure: () => {},
    });
  }

  /** Tried again until it succeeds. @throws when this is closed before. */
  async #begin(machine: string, log: MachineLog): Promise<void> {
    const { failures } = this.#options;
    const bus = await this.#bus;
    if (!bus) return;
    await retry(() => this.#read(machine, log, bus), {
      ...{ pauseMs, signal: this.#closing.signal },
      onFailure: (cause) => {
        const text = `the log of ${machine} is not read yet: ${cause.message}`;
        failures.report(new LogStoreError('log_write_failed', text, { cause }));
      },
    });
  }

  async #read(machine: string, log: MachineLog, bus: Bus): Promise<void> {
    const { entry, failures } = this.#options;
    const reached = { bus, domain: machineToken(machine), machine, isOfSite: true };
    const former = await this.#formerOf(log, reached);
    if (former) return this.#options.onRenamed(former, machine);
    const listeners = { entry: (each: LogEntry) => entry(each, machine) };
    const projections = await LogProjections.open(log, reached, listeners, failures);
    if (this.#closing.signal.aborted) await projections.close();
    else this.#projections.push(projections);
  }
}

import { setTimeout as sleep } from 'node:timers/promises';
import { backoffDelay } from '../../base/backoff.ts';
import { nowUs } from '../../base/time.ts';
import type { Log } from '../../log.ts';
import { type BrokerOptions, brokerAddress } from './broker-options.ts';
import { BrokerSession, type MqttVersion, type Outcome, type Publication } from './broker-session.ts';
import { PublicationQueue } from './publication-queue.ts';
import type { RefusedTopic, SetAside } from './refused-topics.ts';
import { otherTransport, type SessionEnd } from './session-end.ts';

/** Whether the broker is connected, or why not. */
export interface BrokerState {
  readonly isConnected: boolean;
  /** Why it is not connected; empty while it is. */
  readonly reason: string;
  /** Since when: Unix time in microseconds. */
  readonly since: number;
  /** `5` or `3.1.1`, of the last connection. */
  readonly version: '5' | '3.1.1' | null;
  readonly refused: readonly RefusedTopic[];
  readonly setAside: readonly SetAside[];
}

interface LinkListener {
  /** Before anything is published over a new connection. */
  onOpen?(session: BrokerSession): Promise<void>;
  /** After each connect; what was retained may be lost. */
  onConnect(): void;
  onMessage(topic: string, payload: Buffer, isRetained: boolean): void;
}

/** A broker that restarts is back after some seconds. */
const outage = { minMs: 100, maxMs: 4000 };
/** A broker may lock out a client that tries wrong passwords too often; a clone would be thrown out each time. */
const refusal = { minMs: 2000, maxMs: 60_000 };
/** A connection of this length is a steady one. */
const steadyMs = 10_000;
/** As many short connections in a row are no accident. */
const maxShort = 4;
/** After as many connections in a row that were not steady, the next one is logged when it is steady. */
const maxUnsteady = 2;

/** Keeps a connection to the broker, and publishes over it. One log entry for each change of state. */
export class BrokerLink {
  readonly #options: BrokerOptions;
  readonly #log: Log;
  readonly #listener: LinkListener;
  readonly #subscriptions: readonly string[];
  readonly #queue: PublicationQueue;
  readonly #ending = new AbortController();
  #session: BrokerSession | undefined;
  #state = { isConnected: false, reason: 'not connected yet', since: nowUs() };
  #version: MqttVersion;
  /** The broker has said that it does not know version 5. */
  #isOld = false;
  #lastVersion: MqttVersion | undefined;
  #failures = 0;
  /** Successive connections that were closed soon. */
  #short = 0;
  /** Successive connections that were not steady, also those that were closed because of what they were sent. */
  #unsteady = 0;
  /** The last log entry says that it is connected. */
  #isAnnounced = false;
  #announcement: NodeJS.Timeout | undefined;
  /** When the last connection was lost, on the monotonic clock. */
  #lostAt = 0;
  /** The reasons that were logged since the last steady connection. */
  readonly #logged = new Set<string>();
  readonly #running: Promise<void>;

  /** @param subscriptions are made after each connect. */
  constructor(options: BrokerOptions, subscriptions: readonly string[], log: Log, listener: LinkListener) {
    this.#options = options;
    this.#subscriptions = subscriptions;
    this.#log = log;
    this.#listener = listener;
    this.#version = options.version === '3.1.1' ? 4 : 5;
    this.#queue = new PublicationQueue((topic, reason) =>
      log.warning(`the broker refuses ${topic}: ${reason}; what is published on it is set aside and counted`),
    );
    this.#running = this.#run();
  }

  get state(): BrokerState {
    const version = this.#lastVersion && (this.#lastVersion === 5 ? '5' : '3.1.1');
    const { refused, setAside } = this.#queue;
    return { ...this.#state, version: version ?? null, refused, setAside };
  }

  /** Resolves when the broker has confirmed or refused it, over as many connections as it takes. */
  publish(publication: Publication): Promise<Outcome> {
    return this.#queue.add(publication);
  }

  /** As {@link publish}, of each: these, in this order, before all that wait. */
  publishFirst(publications: readonly Publication[]): Promise<Outcome>[] {
    return this.#queue.addFirst(publications);
  }

  /** Ends the connection. @param last is published before, if the broker is connected. */
  async close(last: Publication | undefined, deadlineMs: number): Promise<void> {
    const session = this.#state.isConnected ? this.#session : undefined;
    // Nothing that still waits may come after the last one.
    this.#queue.close();
    if (session && last) {
      await Promise.race([
        session.publish(last).catch(() => {}),
        sleep(deadlineMs, undefined, { ref: false }),
      ]);
    }
    this.#ending.abort();
    clearTimeout(this.#announcement);
    const end = this.#session?.end(session !== undefined);
    await Promise.race([Promise.all([end, this.#running]), sleep(deadlineMs, undefined, { ref: false })]);
    await this.#session?.end(false);
  }

  async #run(): Promise<void> {
    while (!this.#ending.signal.aborted) {
      const end = await this.#connect();
      clearTimeout(this.#announcement);
      const wasBusy = this.#queue.detach();
      this.#session = undefined;
      this.#count(end, wasBusy);
      const reason = await this.#explain(end);
      if (this.#ending.signal.aborted) return;
      if (this.#state.isConnected) this.#lostAt = performance.now();
      const since = this.#state.isConnected ? nowUs() : this.#state.since;
      this.#state = { isConnected: false, reason, since };
      // A broker that knows only one version is asked in the other one next.
      if (end.kind !== 'version' || this.#failures > 2 || reason !== end.reason) this.#logLoss(reason);
      await sleep(this.#pauseMs(end), undefined, { signal: this.#ending.signal }).catch(() => {});
    }
  }

  #connect(): Promise<SessionEnd> {
    return new Promise((resolve) => {
      this.#session = new BrokerSession(this.#options, this.#version, {
        onOpen: (session) => this.#opened(session),
        onMessage: (topic, payload, isRetained) => this.#listener.onMessage(topic, payload, isRetained),
        onEnd: resolve,
      });
    });
  }

  #opened(session: BrokerSession): void {
    this.#lastVersion = session.version;
    this.#state = { isConnected: true, reason: '', since: nowUs() };
    if (this.#unsteady < maxUnsteady) this.#announce();
    else this.#announcement = setTimeout(() => this.#announce(), steadyMs);
    for (const topic of this.#subscriptions) {
      session
        .subscribe(topic)
        .catch((error: Error) => this.#logOnce(`${topic} cannot be subscribed to: ${error.message}`));
    }
    const begin = () => {
      this.#queue.attach(session);
      this.#listener.onConnect();
    };
    const opening = this.#listener.onOpen?.(session);
    if (!opening) begin();
    else
      void opening.then(() => {
        if (this.#session === session) begin();
      });
  }

  #announce(): void {
    if (!this.#isAnnounced) this.#log.info(`connected to ${brokerAddress(this.#options)}`);
    this.#isAnnounced = true;
  }

  /** @param wasBusy the broker may have closed because of what it was sent. */
  #count({ openMs }: SessionEnd, wasBusy: boolean): void {
    this.#failures += 1;
    if (openMs >= steadyMs) {
      if (this.#options.version !== '3.1.1' && !this.#isOld) this.#version = 5;
      this.#failures = 1;
      this.#short = 0;
      this.#unsteady = 0;
      this.#logged.clear();
    } else if (openMs > 0) {
      this.#unsteady += 1;
      if (!wasBusy) this.#short += 1;
    }
  }

  /** @returns the reason for people. */
  async #explain(end: SessionEnd): Promise<string> {
    if (end.kind === 'closed' && this.#short >= maxShort) {
      return `the broker closes the connection soon after each login: probably another client logs in with the client id ${this.#options.clientId}, for example a second recorder with a copy of this one's storage folder (client_id makes it another)`;
    }
    if (end.kind !== 'version') return end.reason;
    const other = await otherTransport(this.#options);
    if (other !== undefined) return other;
    this.#chooseVersion(end);
    return end.reason;
  }

  /** A broker that closes without an answer may be about to end; one that does so twice may not know the version. */
  #chooseVersion({ isExplicit }: SessionEnd): void {
    const { version = 'auto' } = this.#options;
    if (version !== 'auto') return;
    this.#isOld ||= isExplicit && this.#version === 5;
    if (isExplicit || this.#failures % 2 === 0) this.#version = this.#version === 5 ? 4 : 5;
  }

  #pauseMs({ kind }: SessionEnd): number {
    const isLockedOut = kind === 'refused' || kind === 'taken-over';
    return backoffDelay(isLockedOut ? refusal : outage, this.#failures, Math.random());
  }

  /**
   * A reason that comes again before a connection was steady is not logged again, unless the last log entry says that the
   * broker is connected, which would then be wrong for more than a moment.
   */
  #logLoss(reason: string): void {
    const isLong = performance.now() - this.#lostAt >= steadyMs;
    if (this.#isAnnounced && isLong) this.#logged.delete(reason);
    if (this.#logged.has(reason)) return;
    this.#logOnce(`${reason}; events wait until it is back`, reason);
    this.#isAnnounced = false;
  }

  #logOnce(message: string, reason = message): void {
    if (this.#logged.has(reason)) return;
    this.#logged.add(reason);
    this.#log.warning(`${brokerAddress(this.#options)}: ${message}`);
  }
}

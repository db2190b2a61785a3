import { connect, type IClientOptions, type IClientPublishOptions, type MqttClient } from 'mqtt';
import { type BrokerOptions, bracketed, usesTls } from './broker-options.ts';
import { type SessionEnd, sessionEnd } from './session-end.ts';

export type MqttVersion = 5 | 4;

export type Outcome = 'delivered' | 'refused';

/** What is published. */
export interface Publication {
  readonly topic: string;
  readonly payload: string | Uint8Array;
  readonly isRetained: boolean;
  /** Seconds after which the broker forgets it; only with MQTT 5. */
  readonly expiryS?: number;
  /**
   * Asked when it is about to be sent, also again: false if it is not to be published any more; a promise if that is not known
   * yet, of what becomes of it.
   */
  readonly isWanted?: () => boolean | Promise<Outcome>;
}

export interface SessionListener {
  onOpen(session: BrokerSession): void;
  onMessage(topic: string, payload: Buffer, isRetained: boolean): void;
  /** The last call; comes also when the broker was never reached. */
  onEnd(end: SessionEnd): void;
}

const connectTimeoutMs = 5000;
/** A broker that is silent for one and a half of these is gone. */
const usualKeepaliveS = 10;
const usualInFlight = 200;
/** In milliseconds: a broker that has not answered in this time is asked again on a new connection. */
export const answerTimeoutMs = 10_000;

/** One connection to the broker, from the attempt to its end. It does not reconnect. */
export class BrokerSession {
  readonly version: MqttVersion;
  readonly #client: MqttClient;
  /** What the broker has not answered yet, and since when, the oldest first. */
  readonly #pending = new Map<(reason: Error) => void, number>();
  #maxInFlight = usualInFlight;
  #openedAt: number | undefined;
  #watch: NodeJS.Timeout | undefined;
  #error: Error | undefined;
  /** The reason code with which the broker has said goodbye. */
  #goodbye: number | undefined;
  #isOver = false;

  constructor(options: BrokerOptions, version: MqttVersion, listener: SessionListener) {
    this.version = version;
    this.#client = connect(clientOptions(options, version));
    this.#client.on('connect', ({ properties }) => {
      this.#openedAt = performance.now();
      this.#maxInFlight = Math.min(usualInFlight, properties?.receiveMaximum ?? usualInFlight);
      this.#watch = setInterval(() => {
        const [since = Number.POSITIVE_INFINITY] = this.#pending.values();
        if (performance.now() - since < answerTimeoutMs) return;
        fail(new Error(`the broker has not answered for ${answerTimeoutMs / 1000} s`));
      }, answerTimeoutMs / 4);
      listener.onOpen(this);
    });
    this.#client.on('message', (topic, payload, { retain }) => listener.onMessage(topic, payload, retain));
    this.#client.on('disconnect', ({ reasonCode }) => {
      this.#goodbye = reasonCode;
    });
    const fail = (error: Error) => {
      this.#error ??= error;
      // Some errors, such as a packet that cannot be read, are not followed by an end.
      this.#client.end(true);
      end();
    };
    this.#client.on('error', fail);
    this.#client.on('close', () => end());
    const end = () => {
      if (this.#isOver) return;
      this.#isOver = true;
      clearInterval(this.#watch);
      const reason = new Error('the connection to the broker was lost');
      for (const reject of this.#pending.keys()) reject(reason);
      this.#pending.clear();
      this.#client.end(true);
      listener.onEnd(sessionEnd(options, this.#error, this.#goodbye, this.#openedAt));
    };
  }

  /** How many publications the broker takes before it has confirmed the first. */
  get maxInFlight(): number {
    return this.#maxInFlight;
  }

  /**
   * Resolves when the broker has confirmed it. If it does not within 10 s, the session ends.
   *
   * @throws {ErrorWithReasonCode} if it refuses; otherwise if the session ends.
   */
  publish({ topic, payload, isRetained, expiryS }: Publication): Promise<void> {
    const options: IClientPublishOptions = { qos: 1, retain: isRetained };
    if (this.version === 5 && expiryS !== undefined) {
      options.properties = { messageExpiryInterval: expiryS };
    }
    const body = typeof payload === 'string' ? payload : Buffer.from(payload);
    return this.#settle((done) => this.#client.publish(topic, body, options, done));
  }

  /** Resolves when the broker has granted it; as {@link publish}. @throws if it refuses, or if the session ends. */
  subscribe(topic: string): Promise<void> {
    return this.#settle((done) => this.#client.subscribe(topic, { qos: 1 }, (error) => done(error)));
  }

  /** Says goodbye if `graceful`, so that the will is not published; otherwise the connection is cut. */
  async end(graceful: boolean): Promise<void> {
    await this.#client.endAsync(!graceful).catch(() => {});
  }

  #settle(act: (done: (error?: Error | null) => void) => void): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#isOver) return reject(new Error('the connection to the broker was lost'));
      this.#pending.set(reject, performance.now());
      act((error) => {
        // The end of the session has already rejected it.
        if (!this.#pending.delete(reject)) return;
        if (error) reject(error);
        else resolve();
      });
    });
  }
}

function clientOptions(options: BrokerOptions, version: MqttVersion): IClientOptions {
  const { host, port, protocol = 'mqtt', path = '/mqtt', username, password, clientId, will } = options;
  const isWebSocket = protocol.startsWith('ws');
  return {
    host: isWebSocket ? bracketed(host) : host,
    port,
    protocol,
    clientId,
    protocolVersion: version,
    clean: true,
    reconnectPeriod: 0,
    connectTimeout: connectTimeoutMs,
    keepalive: options.keepaliveS ?? usualKeepaliveS,
    ...(isWebSocket && { path }),
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    ...(will && { will: { topic: will.topic, payload: Buffer.from(will.payload), qos: 1, retain: true } }),
    ...(usesTls(options) && {
      ...(options.ca !== undefined && { ca: options.ca }),
      ...(options.cert !== undefined && { cert: options.cert, key: options.key ?? '' }),
    }),
  };
}

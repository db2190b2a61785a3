import { type JetStreamClient, type JetStreamManager, jetstream } from '@nats-io/jetstream';
import {
  type ConnectionOptions,
  connect,
  credsAuthenticator,
  type Msg,
  type NatsConnection,
  type Subscription,
} from '@nats-io/transport-node';
import { stopDeadlinesMs } from '../base/stop-deadlines.ts';
import type { Channel } from '../channel.ts';
import { type Frame, frameHeaders, readFrame } from '../frames.ts';
import type { CommandReply, FrameFormat } from '../messages.ts';
import { commands, frameSubject } from '../subjects.ts';
import { PublishAcks } from './publish-acks.ts';

/** How to reach the bus. Plain data: it is handed to child processes. */
export interface BusAddress {
  readonly servers: readonly string[];
  readonly token?: string;
  readonly username?: string;
  readonly password?: string;
  /** The text of a NATS credentials file. */
  readonly credentials?: string;
}

/** Nobody answered a command in time, or the bus was away. */
class CommandError extends Error {
  override readonly name = 'CommandError';
  readonly code = 'bus_command_unanswered';
}

/** @param name shows in the server's list of connections. */
export function connectionOptions(address: BusAddress, name: string): ConnectionOptions {
  const options: ConnectionOptions = {
    servers: [...address.servers],
    name,
    maxReconnectAttempts: -1,
    reconnectTimeWait: 100,
    reconnectJitter: 50,
    pingInterval: 10_000,
    // A restarted server is the same server: a refusal while it comes up must not end the connection.
    ignoreAuthErrorAbort: true,
    // Every request would otherwise make an error beforehand, for its stack alone.
    noAsyncTraces: true,
  };
  if (address.token !== undefined) options.token = address.token;
  if (address.username !== undefined) options.user = address.username;
  if (address.password !== undefined) options.pass = address.password;
  if (address.credentials !== undefined) {
    options.authenticator = credsAuthenticator(new TextEncoder().encode(address.credentials));
  }
  return options;
}

/**
 * One connection to the bus. It reconnects for ever by itself; what a caller published in the meantime is
 * sent then (up to the client's buffer), except frames, which are dropped.
 *
 * Frames and everything else take separate connections: a subscriber that is slow with its frames would
 * otherwise hold up the events behind them.
 */
export class Bus {
  readonly #connection: NatsConnection;
  readonly #stream: JetStreamClient;
  #manager: Promise<JetStreamManager> | undefined;
  readonly #reconnected = new Set<() => void>();
  #connected = true;
  readonly #acknowledgements: PublishAcks;

  private constructor(connection: NatsConnection) {
    this.#connection = connection;
    this.#stream = jetstream(connection, { timeout: 5000 });
    this.#acknowledgements = new PublishAcks(connection);
    void this.#watch();
  }

  /**
   * @param name shows in the server's list of connections.
   * @throws when no server answers within twenty seconds, or when it refuses the credentials.
   */
  static async connect(address: BusAddress, name: string): Promise<Bus> {
    return new Bus(await connect(connectionOptions(address, name)));
  }

  /** For this room alone, which the architecture test holds: the client library's own objects. */
  get jetStream(): { readonly client: JetStreamClient; readonly manager: Promise<JetStreamManager> } {
    // Without a look at the server, which may be unreachable now.
    this.#manager ??= this.#stream.jetstreamManager(false);
    return { client: this.#stream, manager: this.#manager };
  }

  get connected(): boolean {
    return this.#connected && !this.#connection.isClosed();
  }

  /** Sends a message to whoever listens now. */
  publish<Tokens extends readonly string[], Message>(
    channel: Channel<Tokens, Message>,
    tokens: Tokens,
    message: Message,
  ): void {
    this.#connection.publish(channel.subject(...tokens), channel.encode(message));
  }

  /**
   * Sends a message to its stream and waits until the server has it.
   *
   * @param id makes a repeated call store it once (within the stream's window of two minutes).
   * @throws {NotStoredError}
   */
  store<Tokens extends readonly string[], Message>(
    channel: Channel<Tokens, Message>,
    tokens: Tokens,
    message: Message,
    id: string,
  ): Promise<void> {
    return this.storeEncoded(channel.subject(...tokens), channel.encode(message), id);
  }

  /** As {@link store}, for what has been encoded before. */
  async storeEncoded(subject: string, payload: Uint8Array, id: string): Promise<void> {
    await this.#acknowledgements.publish(subject, payload, id);
  }

  /**
   * Calls `listener` with each message of these subjects (a token may be `*`) from now on.
   *
   * Messages of a wrong shape are skipped. @returns ends the subscription.
   */
  subscribe<Tokens extends readonly string[], Message>(
    channel: Channel<Tokens, Message>,
    tokens: Tokens,
    listener: (message: Message, subject: string) => void,
  ): () => void {
    return this.#listen(channel.subject(...tokens), (incoming) => {
      const message = channel.tryDecode(incoming.data);
      if (message !== undefined) listener(message, incoming.subject);
    });
  }

  /** @throws {CommandError} when no answer comes within `timeout` milliseconds. */
  async request<Tokens extends readonly string[], Message>(
    channel: Channel<Tokens, Message>,
    tokens: Tokens,
    message: Message,
    timeout = 2000,
  ): Promise<CommandReply> {
    const subject = channel.subject(...tokens);
    try {
      const answer = await this.#connection.request(subject, channel.encode(message), { timeout });
      return commands.reply.decode(answer.data);
    } catch (cause) {
      throw new CommandError(`no answer to ${subject}`, { cause });
    }
  }

  /**
   * Answers the commands on these subjects. A handler that throws is answered for with its message.
   * The second argument of the handler is the subject's tokens. @returns ends the subscription.
   */
  respond<Tokens extends readonly string[], Message>(
    channel: Channel<Tokens, Message>,
    tokens: Tokens,
    handler: (message: Message, subject: readonly string[]) => Promise<void> | void,
  ): () => void {
    return this.#listen(channel.subject(...tokens), (incoming) => {
      void (async () => {
        let reply: CommandReply = { ok: true };
        try {
          await handler(channel.decode(incoming.data), incoming.subject.split('.'));
        } catch (error) {
          reply = { ok: false, error: error instanceof Error ? error.message : String(error) };
        }
        incoming.respond(commands.reply.encode(reply));
      })();
    });
  }

  /** Sends a picture to whoever wants it now; while the bus is away it is dropped. */
  publishFrame(monitorID: string, frame: Frame): void {
    if (!this.connected) return;
    this.#connection.publish(frameSubject(monitorID, frame.format), frame.data, {
      headers: frameHeaders(frame),
    });
  }

  /**
   * Calls `listener` with each picture. The listener must be quick: it keeps the newest and returns.
   * @returns ends the subscription.
   */
  subscribeFrames(monitorID: string, format: FrameFormat, listener: (frame: Frame) => void): () => void {
    return this.#listen(frameSubject(monitorID, format), (incoming) => {
      const frame = readFrame(incoming.data, incoming.headers);
      if (frame) listener(frame);
    });
  }

  /** Resolves once the server has dealt with all that was said so far, subscriptions among it. */
  async flush(): Promise<void> {
    await this.#connection.flush();
  }

  /** Calls `listener` whenever the connection has come back. @returns ends it. */
  onReconnect(listener: () => void): () => void {
    this.#reconnected.add(listener);
    return () => this.#reconnected.delete(listener);
  }

  /** Sends what is still buffered, then closes. Safe to call twice; gives up on a bus that is away. */
  async close(): Promise<void> {
    if (this.#connection.isClosed()) return;
    if (this.connected)
      await Promise.race([this.#connection.drain().catch(() => {}), pause(stopDeadlinesMs.busDrain)]);
    await this.#connection.close();
    this.#acknowledgements.break();
  }

  #listen(subject: string, callback: (message: Msg) => void): () => void {
    const subscription: Subscription = this.#connection.subscribe(subject, {
      callback: (error, message) => {
        if (!error) callback(message);
      },
    });
    return () => subscription.unsubscribe();
  }

  async #watch(): Promise<void> {
    for await (const { type } of this.#connection.status()) {
      if (type === 'disconnect') {
        this.#connected = false;
        this.#acknowledgements.break();
      }
      if (type !== 'reconnect') continue;
      this.#connected = true;
      for (const listener of [...this.#reconnected]) listener();
    }
  }
}

const pause = (milliseconds: number) =>
  new Promise<void>((resolve) => {
    setTimeout(resolve, milliseconds).unref();
  });

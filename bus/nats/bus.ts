import { setTimeout as sleep } from 'node:timers/promises';
import { type JetStreamClient, type JetStreamManager, jetstream } from '@nats-io/jetstream';
import { connect, headers, type Msg, type NatsConnection, type Subscription } from '@nats-io/transport-node';
import type { Channel } from '../channel.ts';
import { stopDeadlinesMs } from '../children/stop-deadlines.ts';
import type { CommandReply } from '../command-messages.ts';
import { type Frame, frameHeaders, readFrame } from '../frames.ts';
import type { FrameFormat } from '../messages.ts';
import { type LivePacket, LivePacketReader, livePartsOf } from '../packets/live-packet.ts';
import type { MessagePart } from '../packets/message-parts.ts';
import { type UnitPacket, UnitPacketReader, unitPartsOf } from '../packets/unit-packet.ts';
import { commands, frameSubject } from '../subjects.ts';
import { type BusAddress, connectionOptions } from './bus-address.ts';
import { PublishAcks } from './publish-acks.ts';

/** A question on the bus, and the answer that is sent to its caller. */
export interface Inquiry<Question, Answer> {
  readonly question: Channel<readonly [], Question>;
  readonly answer: Channel<readonly [], Answer>;
}

interface JetStream {
  readonly client: JetStreamClient;
  readonly manager: Promise<JetStreamManager>;
}

/** A command was not answered in time, or the bus was unreachable. */
class CommandError extends Error {
  override readonly name = 'CommandError';
  readonly code = 'bus_command_unanswered';
}

/**
 * One connection to the bus. It reconnects by itself, without limit. Messages published while it is offline are sent
 * afterwards, up to the size of the client's buffer; frames are dropped.
 *
 * Frames take a connection of their own: otherwise a subscriber that is slow with its frames would hold up the events
 * queued after them.
 */
export class Bus {
  readonly #connection: NatsConnection;
  /** By domain. */
  readonly #streams = new Map<string | undefined, JetStream>();
  readonly #reconnected = new Set<() => void>();
  #connected = true;
  readonly #acknowledgements: PublishAcks;

  private constructor(connection: NatsConnection) {
    this.#connection = connection;
    this.#acknowledgements = new PublishAcks(connection);
    void this.#watch();
  }

  /**
   * @param name appears in the server's list of connections.
   * @throws if no server answers within 20 s, or if it refuses the credentials.
   */
  static async connect(address: BusAddress, name: string): Promise<Bus> {
    return new Bus(await connect(connectionOptions(address, name)));
  }

  /** The client library's own objects, for `bus/nats` only; kept by the architecture test. */
  get jetStream(): JetStream {
    return this.jetStreamOf(undefined);
  }

  /** The streams of another machine, as {@link jetStream}. */
  jetStreamOf(domain: string | undefined): JetStream {
    const known = this.#streams.get(domain);
    if (known) return known;
    const client = jetstream(this.#connection, { timeout: 5000, ...(domain !== undefined && { domain }) });
    // `false`: without a check of the server, which may be unreachable now.
    const made = { client, manager: client.jetstreamManager(false) };
    this.#streams.set(domain, made);
    return made;
  }

  get connected(): boolean {
    return this.#connected && !this.#connection.isClosed();
  }

  /** Publishes a message to the current subscribers; it is not stored. */
  publish<Tokens extends readonly string[], Message>(
    channel: Channel<Tokens, Message>,
    tokens: Tokens,
    message: Message,
  ): void {
    this.#connection.publish(channel.subject(...tokens), channel.encode(message));
  }

  /**
   * Publishes a message to its stream and waits for the server's acknowledgement.
   *
   * @param id identifies the message: of repeated calls with one id the stream stores one (within its window of two minutes).
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

  /** Like {@link store}, for a message that is already encoded. */
  async storeEncoded(subject: string, payload: Uint8Array, id: string): Promise<void> {
    await this.#acknowledgements.publish(subject, payload, id);
  }

  /**
   * Calls `listener` with each message of these subjects (a token may be `*`) from now on.
   *
   * Messages of a wrong shape are skipped. @returns a function that unsubscribes.
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

  /** @throws {CommandError} if no answer arrives within `timeout` milliseconds. */
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
   * Answers the commands on these subjects. If the handler throws, the reply carries the error's message.
   * The second argument of the handler is the subject's tokens. @returns a function that unsubscribes.
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

  /** @throws {CommandError} if no answer arrives within `timeout` milliseconds. */
  async ask<Question, Answer>(
    { question, answer }: Inquiry<Question, Answer>,
    message: Question,
    timeout = 10_000,
  ): Promise<Answer> {
    const subject = question.subject();
    try {
      const found = await this.#connection.request(subject, question.encode(message), { timeout });
      return answer.decode(found.data);
    } catch (cause) {
      throw new CommandError(`no answer to ${subject}`, { cause });
    }
  }

  /** Answers these questions; one whose handler throws gets no answer. @returns a function that unsubscribes. */
  answer<Question, Answer>(
    { question, answer }: Inquiry<Question, Answer>,
    handler: (message: Question) => Promise<Answer>,
  ): () => void {
    return this.#listen(question.subject(), (incoming) => {
      const message = question.tryDecode(incoming.data);
      if (message === undefined) return;
      handler(message).then(
        (found) => incoming.respond(answer.encode(found)),
        () => {},
      );
    });
  }

  /** Publishes a frame to the current subscribers; dropped while the bus is unreachable. */
  publishFrame(monitorID: string, frame: Frame): void {
    if (!this.connected) return;
    this.#connection.publish(frameSubject(monitorID, frame.format), frame.data, {
      headers: frameHeaders(frame),
    });
  }

  /**
   * Calls `listener` with each frame. The listener must return quickly: it keeps the newest frame for later.
   * @returns a function that unsubscribes.
   */
  subscribeFrames(monitorID: string, format: FrameFormat, listener: (frame: Frame) => void): () => void {
    return this.#listen(frameSubject(monitorID, format), (incoming) => {
      const frame = readFrame(incoming.data, incoming.headers);
      if (frame) listener(frame);
    });
  }

  /**
   * Publishes encoded pictures that follow each other (`unitSubject`), in one message, to the current subscribers; dropped
   * while the bus is unreachable.
   */
  publishUnits(subject: string, packets: readonly UnitPacket[]): void {
    this.#publishParts(subject, 'Units', unitPartsOf(packets));
  }

  /** Calls `listener` with the encoded pictures of each message. @returns a function that unsubscribes. */
  subscribeUnits(subject: string, listener: (packets: readonly UnitPacket[]) => void): () => void {
    const reader = new UnitPacketReader();
    return this.#listen(subject, (incoming) => {
      const packets = reader.read(incoming.data, incoming.headers?.get('Units') ?? '');
      if (packets.length > 0) listener(packets);
    });
  }

  /** Publishes a packet of a stream (`liveSubject`) to the current subscribers; dropped while the bus is unreachable. */
  publishLive(subject: string, packet: LivePacket): void {
    this.#publishParts(subject, 'Live', livePartsOf(packet));
  }

  /** Calls `listener` with each packet of a watched stream. @returns a function that unsubscribes. */
  subscribeLive(subject: string, listener: (packet: LivePacket) => void): () => void {
    const reader = new LivePacketReader();
    return this.#listen(subject, (incoming) => {
      const packet = reader.read(incoming.data, incoming.headers?.get('Live') ?? '');
      if (packet) listener(packet);
    });
  }

  /** Resolves when the server has processed everything sent so far, including subscriptions. */
  async flush(): Promise<void> {
    await this.#connection.flush();
  }

  /** Calls `listener` after each reconnect. @returns a function that unsubscribes. */
  onReconnect(listener: () => void): () => void {
    this.#reconnected.add(listener);
    return () => this.#reconnected.delete(listener);
  }

  /** Sends the buffered messages, then closes. Safe to call twice; does not wait for an unreachable bus. */
  async close(): Promise<void> {
    if (this.#connection.isClosed()) return;
    if (this.connected)
      await Promise.race([
        this.#connection.drain().catch(() => {}),
        sleep(stopDeadlinesMs.busDrain, undefined, { ref: false }),
      ]);
    await this.#connection.close();
    this.#acknowledgements.break();
  }

  #publishParts(subject: string, name: string, parts: readonly MessagePart[]): void {
    if (!this.connected) return;
    for (const { header, data } of parts) {
      const values = headers();
      values.set(name, header);
      this.#connection.publish(subject, data, { headers: values });
    }
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

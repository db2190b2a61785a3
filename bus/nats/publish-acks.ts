import { createInbox, headers, type Msg, type NatsConnection } from '@nats-io/transport-node';

/** Milliseconds that a stream may take; the server may be writing to a slow disk. */
const ackDeadlineMs = 5000;
const look = 500;

/** The bus did not keep a message. It may all the same have reached its stream. */
class NotStoredError extends Error {
  override readonly name = 'NotStoredError';
  readonly code = 'bus_message_not_stored';
}

interface Waiting {
  readonly resolve: () => void;
  readonly reject: (reason: Error) => void;
  readonly until: number;
}

/**
 * Messages that are under way to their streams, each with whoever waits to hear that it is there.
 *
 * The client library does the same with a request for each; that takes three times as long.
 */
export class PublishAcks {
  readonly #connection: NatsConnection;
  /** Subjects below this one are where the streams answer to. */
  readonly #inbox = createInbox();
  /** By the last token of that subject, the oldest first. */
  readonly #waiting = new Map<string, Waiting>();
  #count = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(connection: NatsConnection) {
    this.#connection = connection;
  }

  /**
   * @param id what the stream recognises a repetition by.
   * @throws {NotStoredError}
   */
  publish(subject: string, payload: Uint8Array, id: string): Promise<void> {
    if (this.#count === 0) this.#listen();
    this.#count += 1;
    const token = this.#count.toString(36);
    const header = headers();
    header.set('Nats-Msg-Id', id);
    return new Promise((resolve, reject) => {
      this.#connection.publish(subject, payload, { reply: `${this.#inbox}.${token}`, headers: header });
      this.#waiting.set(token, { resolve, reject, until: performance.now() + ackDeadlineMs });
      this.#timer ??= setTimeout(() => this.#expire(), look);
    });
  }

  /** The connection broke, or was closed: nothing that was sent on it will be answered. */
  break(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const reason = new NotStoredError('the connection to the bus broke');
    for (const { reject } of this.#waiting.values()) reject(reason);
    this.#waiting.clear();
  }

  #listen(): void {
    this.#connection.subscribe(`${this.#inbox}.*`, {
      callback: (error, message) => {
        if (!error) this.#hear(message);
      },
    });
  }

  #hear(message: Msg): void {
    const token = message.subject.slice(this.#inbox.length + 1);
    const waiting = this.#waiting.get(token);
    if (!waiting) return;
    this.#waiting.delete(token);
    const refusal = refusalIn(message);
    if (refusal === undefined) waiting.resolve();
    else waiting.reject(new NotStoredError(refusal));
  }

  #expire(): void {
    const now = performance.now();
    for (const [token, { until, reject }] of this.#waiting) {
      if (until > now) break;
      this.#waiting.delete(token);
      reject(new NotStoredError('the bus did not answer in time'));
    }
    this.#timer = this.#waiting.size > 0 ? setTimeout(() => this.#expire(), look) : undefined;
  }
}

function refusalIn(message: Msg): string | undefined {
  // 503: no stream takes this subject.
  if (message.data.length === 0) return 'the bus keeps no stream';
  const { error } = message.json<{ error?: { description: string } }>();
  return error?.description;
}

import { createInbox, headers, type Msg, type NatsConnection } from '@nats-io/transport-node';

/** Milliseconds that an acknowledgement may take; the server may be writing to a slow disk. */
const ackDeadlineMs = 5000;
const look = 500;

/** The bus did not acknowledge a message. It may have been stored all the same. */
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
 * Publishes that JetStream has not acknowledged yet.
 *
 * The client library does the same with one request per message, which takes three times as long.
 */
export class PublishAcks {
  readonly #connection: NatsConnection;
  /** The streams acknowledge to subjects below this one. */
  readonly #inbox = createInbox();
  /** By the last token of the reply subject, the oldest first. */
  readonly #waiting = new Map<string, Waiting>();
  #count = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(connection: NatsConnection) {
    this.#connection = connection;
  }

  /**
   * @param id by which the stream recognises a repetition.
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

  /** Rejects all: the connection was lost or closed, so nothing sent on it will be acknowledged. */
  break(): void {
    this.#stopLooking();
    const reason = new NotStoredError('the connection to the bus was lost');
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
    if (this.#waiting.size === 0) this.#stopLooking();
    const refusal = refusalIn(message);
    if (refusal === undefined) waiting.resolve();
    else waiting.reject(new NotStoredError(refusal));
  }

  #stopLooking(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
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

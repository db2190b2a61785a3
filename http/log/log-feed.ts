import type { LogEntry } from '../../bus/messages.ts';
import { type LogFilter, type LogStore, matchesFilter } from '../../store/log/log-store.ts';
import type { WebSocketConnection } from '../request/websocket-connection.ts';
import { FeedSubscriber } from './feed-subscriber.ts';
import { publicEntry } from './public-entry.ts';

/** Entries of so many milliseconds leave together: a busy log costs a client one packet then, not one for each. */
const gatherFor = 15;

export type FeedFilter = Pick<LogFilter, 'levels' | 'sources' | 'monitors' | 'after'>;

/** Sends what comes into the log to every WebSocket that asked for it. Reads the log once for all of them. */
export class LogFeed {
  readonly #logs: LogStore;
  /** Those who want what comes from now on. */
  readonly #live = new Map<FeedSubscriber, FeedFilter>();
  readonly #waiting = new Set<FeedSubscriber>();
  /** An entry is written once, however many clients get it. */
  readonly #texts = new WeakMap<LogEntry, Buffer>();
  #unfollow: (() => void) | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(logs: LogStore) {
    this.#logs = logs;
  }

  connect(connection: WebSocketConnection, filter: FeedFilter): void {
    const subscriber = new FeedSubscriber(connection);
    const end =
      filter.after === undefined ? this.#follow(subscriber, filter) : this.#resume(subscriber, filter);
    connection.onClose(() => {
      end();
      this.#waiting.delete(subscriber);
    });
  }

  close(): void {
    this.#unfollow?.();
    clearTimeout(this.#timer);
  }

  #follow(subscriber: FeedSubscriber, filter: FeedFilter): () => void {
    this.#live.set(subscriber, filter);
    this.#unfollow ??= this.#logs.follow((entries) => {
      for (const [client, wanted] of this.#live) {
        this.#send(
          client,
          entries.filter((entry) => matchesFilter(wanted, entry)),
        );
      }
    });
    return () => {
      this.#live.delete(subscriber);
      if (this.#live.size > 0) return;
      this.#unfollow?.();
      this.#unfollow = undefined;
    };
  }

  #resume(subscriber: FeedSubscriber, { after = 0, ...filter }: FeedFilter): () => void {
    return this.#logs.followAfter(after, filter, (entries) => {
      this.#send(subscriber, entries);
      // What lies behind is read only as fast as this client takes it.
      return subscriber.drained();
    });
  }

  #send(subscriber: FeedSubscriber, entries: readonly LogEntry[]): void {
    if (entries.length === 0) return;
    subscriber.take(entries.map((entry) => this.#text(entry)));
    this.#waiting.add(subscriber);
    this.#timer ??= setTimeout(() => this.#flush(), gatherFor);
  }

  #flush(): void {
    this.#timer = undefined;
    for (const subscriber of this.#waiting) subscriber.flush();
    this.#waiting.clear();
  }

  #text(entry: LogEntry): Buffer {
    let text = this.#texts.get(entry);
    if (!text) {
      text = Buffer.from(JSON.stringify(publicEntry(entry)));
      this.#texts.set(entry, text);
    }
    return text;
  }
}

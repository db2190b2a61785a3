import {
  type LogFilter,
  type LogStore,
  type MachineEntry,
  matchesFilter,
} from '../../store/log/log-store.ts';
import type { WebSocketConnection } from '../request/websocket-connection.ts';
import { FeedSubscriber } from './feed-subscriber.ts';
import { publicEntry } from './public-entry.ts';

/** Entries of this period are sent together, so that a busy log costs a client one packet, not one per entry. */
const gatherMs = 15;

export interface FeedFilter
  extends Pick<LogFilter, 'levels' | 'sources' | 'monitors' | 'machines' | 'after'> {
  /** `TIME@MACHINE` each: instead of `after` for this machine. */
  readonly positions?: readonly string[];
}

/** Sends new log entries to every subscribed WebSocket. Reads the log once for all of them. */
export class LogFeed {
  readonly #logs: LogStore;
  readonly #isShared: boolean;
  /** Subscribers of new entries; those that resume from a past time read the log on their own. */
  readonly #live = new Map<FeedSubscriber, FeedFilter>();
  readonly #waiting = new Set<FeedSubscriber>();
  /** JSON of each entry, made once for all clients. */
  readonly #texts = new WeakMap<MachineEntry, Buffer>();
  #unfollow: (() => void) | undefined;
  #timer: NodeJS.Timeout | undefined;

  /** @param isShared whether there are several machines */
  constructor(logs: LogStore, isShared: boolean) {
    this.#logs = logs;
    this.#isShared = isShared;
  }

  connect(connection: WebSocketConnection, filter: FeedFilter): void {
    const subscriber = new FeedSubscriber(connection);
    const end =
      filter.after === undefined && filter.positions === undefined
        ? this.#follow(subscriber, filter)
        : this.#resume(subscriber, filter);
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

  #resume(subscriber: FeedSubscriber, { after = 0, positions = [], ...filter }: FeedFilter): () => void {
    const times = new Map(
      positions.map((position) => {
        const [time = '', machine = ''] = position.split('@');
        return [machine, Number(time)];
      }),
    );
    return this.#logs.followAfter(
      (machine) => times.get(machine) ?? after,
      filter,
      (entries) => {
        this.#send(subscriber, entries);
        // Past entries are read only as fast as this client reads its frames.
        return subscriber.drained();
      },
    );
  }

  #send(subscriber: FeedSubscriber, entries: readonly MachineEntry[]): void {
    if (entries.length === 0) return;
    subscriber.add(entries.map((entry) => this.#text(entry)));
    this.#waiting.add(subscriber);
    this.#timer ??= setTimeout(() => this.#flush(), gatherMs);
  }

  #flush(): void {
    this.#timer = undefined;
    for (const subscriber of this.#waiting) subscriber.flush();
    this.#waiting.clear();
  }

  #text(entry: MachineEntry): Buffer {
    let text = this.#texts.get(entry);
    if (!text) {
      text = Buffer.from(JSON.stringify(publicEntry(entry, this.#isShared)));
      this.#texts.set(entry, text);
    }
    return text;
  }
}

import type { LogEntry } from '../bus/messages.ts';
import type { LogFilter, LogStore } from '../store/logs.ts';
import type { Connection } from './connection.ts';
import { publicEntry } from './log-entry.ts';

/** Entries of this time leave together: a busy log costs one packet a client then, not one for each entry. */
const gatherFor = 15;

export type FeedFilter = Pick<LogFilter, 'levels' | 'sources' | 'monitors' | 'after'>;

interface Frame {
  readonly entry: LogEntry;
  /** Written once, for all clients. */
  readonly text: Buffer;
}

interface Subscriber {
  readonly connection: Connection;
  readonly wanted: (entry: LogEntry) => boolean;
}

/** Sends what comes into the log to every WebSocket that asked for it. Reads the log once for all of them. */
export class LogFeed {
  readonly #logs: LogStore;
  readonly #subscribers = new Set<Subscriber>();
  readonly #unfollow: () => void;
  #gathered: Frame[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(logs: LogStore) {
    this.#logs = logs;
    this.#unfollow = logs.follow((entries) => this.#gather(entries));
  }

  connect(connection: Connection, filter: FeedFilter): void {
    const subscriber = { connection, wanted: matcher(filter) };
    this.#subscribers.add(subscriber);
    connection.onClose(() => this.#subscribers.delete(subscriber));
  }

  close(): void {
    this.#unfollow();
    clearTimeout(this.#timer);
  }

  #gather(entries: readonly LogEntry[]): void {
    if (this.#subscribers.size === 0) return;
    for (const entry of entries) {
      this.#gathered.push({ entry, text: Buffer.from(JSON.stringify(publicEntry(entry))) });
    }
    this.#timer ??= setTimeout(() => this.#flush(), gatherFor);
  }

  #flush(): void {
    const frames = this.#gathered;
    this.#gathered = [];
    this.#timer = undefined;
    for (const { connection, wanted } of this.#subscribers) {
      connection.batch(() => {
        for (const { entry, text } of frames) if (wanted(entry)) connection.send(text);
      });
    }
  }
}

function matcher({ levels, sources, monitors }: FeedFilter): (entry: LogEntry) => boolean {
  const within = (wanted: readonly string[] | undefined) => {
    const set = new Set(wanted);
    return (value: string) => set.size === 0 || set.has(value);
  };
  const [level, source, monitor] = [within(levels), within(sources), within(monitors)];
  return (entry) => level(entry.level) && source(entry.src) && monitor(entry.monitorID);
}

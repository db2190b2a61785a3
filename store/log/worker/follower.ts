import { setTimeout as sleep } from 'node:timers/promises';
import type { LogEntry } from '../../../bus/messages.ts';
import { type LogFilter, matchesFilter } from '../read/log-filter.ts';

/** The part of a filter that may be followed. */
export type FollowConditions = Pick<LogFilter, 'levels' | 'sources' | 'monitors'>;

/** What there is to follow. */
interface Source {
  /** Stored entries, oldest first. @throws while the database is away. */
  read(filter: LogFilter): Promise<LogEntry[]>;
  /** Calls `listener` with every entry that a `read` which begins now may not show. @returns ends it. */
  follow(listener: (entries: readonly LogEntry[]) => void): () => void;
}

const pageSize = 1000;
/** Live entries that are kept while pages are read. Past this, they are read as pages as well. */
const maxBufferSize = 10_000;
const retryPauseMs = 500;

/** See `LogStore.followAfter`. */
export function followLog(
  source: Source,
  time: number,
  conditions: FollowConditions,
  listener: (entries: readonly LogEntry[]) => Promise<void> | void,
): () => void {
  const { levels = [], sources = [], monitors = [] } = conditions;
  const filter = { levels, sources, monitors };
  let ended = false;
  let last = time;
  /** Undefined when it has overflowed, or once nothing has to be kept any more. */
  let buffer: LogEntry[] | undefined;
  let live = false;
  let unfollow = () => {};
  const end = () => {
    ended = true;
    unfollow();
  };
  void run();
  return end;

  async function run(): Promise<void> {
    while (!live && !ended) {
      try {
        await readOn();
        // What comes from here on is kept, while what came before is still being read.
        buffer = [];
        unfollow = source.follow(take);
        if (ended) return unfollow();
        await readOn();
        live = buffer !== undefined;
        if (live) void handOver(buffer ?? []);
      } catch {
        await sleep(retryPauseMs);
      } finally {
        if (!live) unfollow();
      }
    }
  }

  /** Hands over pages until one is not full. */
  async function readOn(): Promise<void> {
    for (let full = true; full && !ended; ) {
      const page = await source.read({ ...filter, after: last, limit: pageSize });
      if (ended) return;
      full = page.length === pageSize;
      await handOver(page);
    }
  }

  function take(entries: readonly LogEntry[]): void {
    if (live) void handOver(entries.filter((entry) => matchesFilter(filter, entry)));
    else if (buffer && buffer.length + entries.length > maxBufferSize) buffer = undefined;
    else buffer?.push(...entries.filter((entry) => matchesFilter(filter, entry)));
  }

  async function handOver(entries: readonly LogEntry[]): Promise<void> {
    const news = entries.filter((entry) => entry.time > last);
    if (news.length === 0 || ended) return;
    last = news.at(-1)?.time ?? last;
    try {
      await listener(news);
    } catch {
      end();
    }
  }
}

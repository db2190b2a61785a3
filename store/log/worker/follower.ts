import { setTimeout as sleep } from 'node:timers/promises';
import { type LogFilter, type MachineEntry, matchesFilter } from '../read/log-filter.ts';
import { isAfterCorrection } from '../schema/log-times.ts';

/** The conditions of a filter that apply to live entries. */
export type FollowConditions = Pick<LogFilter, 'levels' | 'sources' | 'monitors' | 'machines'>;

/** The log of one machine as a follower reads it: there, times only grow. */
interface Source {
  /** Stored entries, oldest first. @throws while the database is unavailable. */
  read(filter: LogFilter): Promise<MachineEntry[]>;
  /** Calls `listener` with every entry that a `read` started now may miss. @returns a function that unsubscribes. */
  follow(listener: (entries: readonly MachineEntry[]) => void): () => void;
}

const pageSize = 1000;
/** Live entries buffered while pages are read. Past this many, they are read as pages as well. */
const maxBufferSize = 10_000;
const retryPauseMs = 500;

/** See `LogStore.followAfter`. */
export function followLog(
  source: Source,
  time: number,
  conditions: FollowConditions,
  listener: (entries: readonly MachineEntry[]) => Promise<void> | void,
): () => void {
  const { levels = [], sources = [], monitors = [], machines = [] } = conditions;
  const filter = { levels, sources, monitors, machines };
  let ended = false;
  let last = time;
  /** Undefined after an overflow, and when buffering is no longer needed. */
  let buffer: MachineEntry[] | undefined;
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
        // From here on live entries are buffered while the older ones are still being read.
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

  /** Delivers pages until one is not full. */
  async function readOn(): Promise<void> {
    for (let full = true; full && !ended; ) {
      const page = await source.read({ ...filter, after: last, limit: pageSize });
      if (ended) return;
      full = page.length === pageSize;
      await handOver(page);
    }
  }

  function take(entries: readonly MachineEntry[]): void {
    if (live) void handOver(entries.filter((entry) => matchesFilter(filter, entry)));
    else if (buffer && buffer.length + entries.length > maxBufferSize) buffer = undefined;
    else buffer?.push(...entries.filter((entry) => matchesFilter(filter, entry)));
  }

  async function handOver(entries: readonly MachineEntry[]): Promise<void> {
    const [first] = entries;
    if (first && isAfterCorrection(last, first.time)) last = first.time - 1;
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

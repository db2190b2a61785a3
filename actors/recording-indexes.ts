import { Mutex } from '../bus/base/mutex.ts';
import type { Bus } from '../bus/nats/bus.ts';
import { recordings } from '../bus/subjects.ts';
import type { RecordingArchive } from '../store/recordings/recording-archive.ts';

/** Until then a file counts as one that may grow, of which no index is kept. */
const defaultDelayMs = 65_000;

/**
 * Reads the fragments of each recording soon after it was saved, while it is in memory: the first request for it, months
 * later perhaps, need not look for a thousand headers on a disk. After a restart of the recorder that is done by the first
 * request.
 *
 * @returns a function that ends it.
 */
export function keepRecordingIndexes(
  bus: Pick<Bus, 'subscribe'>,
  archive: Pick<RecordingArchive, 'prepare'>,
  delayMs = defaultDelayMs,
): () => void {
  const turns = new Mutex();
  const timers = new Set<NodeJS.Timeout>();
  const unsubscribe = bus.subscribe(recordings, ['*'], ({ id, state }) => {
    if (state !== 'saved') return;
    const timer = setTimeout(() => {
      timers.delete(timer);
      // One that cannot be read is reported when it is asked for.
      void turns.runExclusive(() => archive.prepare(id)).catch(() => {});
    }, delayMs);
    timers.add(timer);
  });
  return () => {
    unsubscribe();
    for (const timer of timers) clearTimeout(timer);
  };
}

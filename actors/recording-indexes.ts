import { Mutex } from '../bus/base/mutex.ts';
import type { Bus } from '../bus/nats/bus.ts';
import { recordings } from '../bus/subjects.ts';
import type { RecordingArchive } from '../store/recordings/recording-archive.ts';

/** Between two readings of a recording that grows; what was written since is still in memory. */
const minPauseMs = 30_000;
/** A catalogue that is made again reports 200,000: reading all of them would keep the disk busy for hours. */
const maxWaitingFound = 100;

/**
 * Reads the fragments of recordings while they are in memory, and keeps the index of one that was saved beside it: a
 * request, months later perhaps, need not look for a thousand headers on a disk. So it is for a recording that was found in the
 * folder, such as one that a killed recorder left behind, unless so many are found that the first request is soon enough.
 *
 * @returns a function that ends it.
 */
export function keepRecordingIndexes(
  bus: Pick<Bus, 'subscribe'>,
  archive: Pick<RecordingArchive, 'prepare'>,
): () => void {
  const turns = new Mutex();
  /** When recordings that grow were last read, by `performance.now()`, the latest last. */
  const readMs = new Map<string, number>();
  let waitingFound = 0;
  return bus.subscribe(recordings, ['*'], ({ id, state }) => {
    const isFound = state === 'found';
    if (isFound && waitingFound >= maxWaitingFound) return;
    if (state !== 'growing' && state !== 'saved' && !isFound) return;
    const nowMs = performance.now();
    if (state === 'growing' && nowMs - (readMs.get(id) ?? Number.NEGATIVE_INFINITY) < minPauseMs) return;
    readMs.delete(id);
    if (state === 'growing') readMs.set(id, nowMs);
    forgetOld(readMs, nowMs);
    // One that cannot be read is reported when it is asked for.
    if (isFound) waitingFound += 1;
    void turns
      .runExclusive(() => archive.prepare(id, state !== 'growing'))
      .catch(() => {})
      .finally(() => {
        if (isFound) waitingFound -= 1;
      });
  });
}

/** Also those that were never saved, because they or their host came to a sudden end. */
function forgetOld(readMs: Map<string, number>, nowMs: number): void {
  for (const [id, ms] of readMs) {
    if (nowMs - ms < minPauseMs) return;
    readMs.delete(id);
  }
}

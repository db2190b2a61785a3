import { Mutex } from '../bus/base/mutex.ts';
import type { Bus } from '../bus/nats/bus.ts';
import { recordings } from '../bus/subjects.ts';
import type { RecordingArchive } from '../store/recordings/recording-archive.ts';

/** Between two readings of a recording that grows; what was written since is still in memory. */
const minPauseMs = 30_000;

/**
 * Reads the fragments of recordings while they are in memory, and keeps the index of one that was saved beside it: a
 * request, months later perhaps, need not look for a thousand headers on a disk. Of a recording that a killed recorder left
 * behind, that is done by the first request.
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
  return bus.subscribe(recordings, ['*'], ({ id, state }) => {
    if (state !== 'growing' && state !== 'saved') return;
    const nowMs = performance.now();
    if (state === 'growing' && nowMs - (readMs.get(id) ?? Number.NEGATIVE_INFINITY) < minPauseMs) return;
    readMs.delete(id);
    if (state === 'growing') readMs.set(id, nowMs);
    forgetOld(readMs, nowMs);
    // One that cannot be read is reported when it is asked for.
    void turns.runExclusive(() => archive.prepare(id, state === 'saved')).catch(() => {});
  });
}

/** Also those that were never saved, because they or their host came to a sudden end. */
function forgetOld(readMs: Map<string, number>, nowMs: number): void {
  for (const [id, ms] of readMs) {
    if (nowMs - ms < minPauseMs) return;
    readMs.delete(id);
  }
}

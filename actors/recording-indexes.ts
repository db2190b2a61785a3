import { Mutex } from '../bus/base/mutex.ts';
import type { Bus } from '../bus/nats/bus.ts';
import { recordings } from '../bus/subjects.ts';
import type { RecordingArchive } from '../store/recordings/recording-archive.ts';

/**
 * Reads the fragments of recordings with each report on them, while they are in memory, and keeps the index of one that was
 * saved beside it: a request, months later perhaps, need not look for a thousand headers on a disk. Of a recording that a
 * killed recorder left behind, that is done by the first request.
 *
 * @returns a function that ends it.
 */
export function keepRecordingIndexes(
  bus: Pick<Bus, 'subscribe'>,
  archive: Pick<RecordingArchive, 'prepare'>,
): () => void {
  const turns = new Mutex();
  return bus.subscribe(recordings, ['*'], ({ id, state }) => {
    if (state !== 'growing' && state !== 'saved') return;
    // One that cannot be read is reported when it is asked for.
    void turns.runExclusive(() => archive.prepare(id, state === 'saved')).catch(() => {});
  });
}

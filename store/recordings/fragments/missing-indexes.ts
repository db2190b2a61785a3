import { setTimeout as sleep } from 'node:timers/promises';
import { mayGrow, type RecordingFiles } from '../files/recording-files.ts';
import type { FragmentIndexes } from './fragment-indexes.ts';

export interface MissingIndexesOptions {
  /** The recordings without an index, in the order in which they get one. */
  readonly ids: () => AsyncIterable<string>;
  readonly files: RecordingFiles;
  readonly indexes: Pick<FragmentIndexes, 'store'>;
  /** When it begins, in milliseconds; ten minutes by default: after all that a start brings. */
  readonly firstMs?: number;
  /** The pause after an index that took so long, both in milliseconds; 19 times as long and at least a second by default. */
  readonly pauseMs?: (tookMs: number) => number;
}

const usualFirstMs = 600_000;
const usualPauseMs = (tookMs: number) => Math.max(1000, 19 * tookMs);

/**
 * Makes the indexes of recordings that have none, one by one, with the disk free for 19 parts in 20: those of an older
 * version, and those that were found in the folder, perhaps 200,000 at once. A request for one of them that comes
 * earlier makes its index.
 *
 * @returns a function that ends it, and resolves when the current one is done.
 */
export function makeMissingIndexes(options: MissingIndexesOptions): () => Promise<void> {
  const ending = new AbortController();
  // What cannot be read today is looked at after the next start.
  const work = run(options, ending.signal).catch(() => {});
  return () => {
    ending.abort();
    return work;
  };
}

async function run(
  { ids, files, indexes, firstMs = usualFirstMs, pauseMs = usualPauseMs }: MissingIndexesOptions,
  signal: AbortSignal,
): Promise<void> {
  await sleep(firstMs, undefined, { signal, ref: false });
  for await (const id of ids()) {
    signal.throwIfAborted();
    const began = performance.now();
    await makeIndex(id, files, indexes).catch(() => {});
    await sleep(pauseMs(performance.now() - began), undefined, { signal, ref: false });
  }
}

async function makeIndex(
  id: string,
  files: RecordingFiles,
  indexes: MissingIndexesOptions['indexes'],
): Promise<void> {
  const recording = await files.open(id);
  if (!recording) return;
  try {
    if (!mayGrow(recording)) await indexes.store(id, recording);
  } finally {
    await recording.handle.close();
  }
}

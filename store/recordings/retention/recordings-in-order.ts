import { setImmediate as turn } from 'node:timers/promises';
import { parseRecordingID } from '../../../bus/recording-id.ts';
import type { EndedRecording } from '../../log/catalogue/recording-usage.ts';
import type { KeptRecording } from './retention-rules.ts';
import type { UsageCatalogue } from './storage-survey.ts';

type Catalogue = Pick<UsageCatalogue, 'usage'>;

/** Read from the catalogue at once. */
const pageLength = 2000;

/**
 * The recordings that have ended, in the order in which they were recorded. Those without a place in that order (not in
 * the catalogue, found in the folder later, or cut off by a kill) come where their time says.
 *
 * @param unlisted in the order of their ids.
 * @throws {StoreError} `io`
 */
export async function* recordingsInOrder(
  catalogue: Catalogue,
  unlisted: readonly KeptRecording[],
): AsyncGenerator<KeptRecording> {
  const { ended: cutOff = [] } = await catalogue.usage({
    kind: 'ended',
    after: -1,
    limit: 0,
    isFound: false,
  });
  const others =
    cutOff.length === 0
      ? unlisted
      : [...unlisted, ...cutOff.flatMap(keptRecording)].sort((a, b) => (a.id < b.id ? -1 : 1));
  const found = inserted(readPages(catalogue, true), inPages(others));
  yield* inserted(readPages(catalogue, false), found);
}

/** Other work gets its turn after each page. */
async function* inPages(recordings: readonly KeptRecording[]): AsyncGenerator<KeptRecording> {
  for (let at = 0; at < recordings.length; at += pageLength) {
    yield* recordings.slice(at, at + pageLength);
    await turn();
  }
}

async function* readPages(catalogue: Catalogue, isFound: boolean): AsyncGenerator<KeptRecording> {
  for (let after = -1; ; ) {
    const { ended = [] } = await catalogue.usage({ kind: 'ended', after, limit: pageLength, isFound });
    const numbered = ended.filter(({ number }) => number >= 0);
    yield* numbered.flatMap(keptRecording);
    if (numbered.length < pageLength) return;
    after = numbered.at(-1)?.number ?? after;
  }
}

/** The first ones in their order, and each of the others before the next one that is newer. */
async function* inserted(
  recordings: AsyncGenerator<KeptRecording>,
  others: AsyncGenerator<KeptRecording>,
): AsyncGenerator<KeptRecording> {
  let other = await others.next();
  for await (const recording of recordings) {
    for (; !other.done && other.value.startMs <= recording.startMs; other = await others.next())
      yield other.value;
    yield recording;
  }
  for (; !other.done; other = await others.next()) yield other.value;
}

function keptRecording({ id, end, bytes }: EndedRecording): KeptRecording[] {
  const name = parseRecordingID(id);
  return name ? [{ id, ...name, endMs: end / 1000, bytes }] : [];
}

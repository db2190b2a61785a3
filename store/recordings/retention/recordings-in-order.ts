import { parseRecordingID } from '../../../bus/recording-id.ts';
import type { EndedRecording } from '../../log/catalogue/recording-usage.ts';
import type { KeptRecording } from './retention-rules.ts';
import type { UsageCatalogue } from './storage-survey.ts';

/** Read from the catalogue at once. */
const pageLength = 2000;

/**
 * The recordings that have ended, in the order in which they were recorded. Those without a place in that order (not in
 * the catalogue, or cut off by a kill) come where their time says.
 *
 * @throws {StoreError} `io`
 */
export async function* recordingsInOrder(
  catalogue: Pick<UsageCatalogue, 'usage'>,
  unlisted: readonly KeptRecording[],
): AsyncGenerator<KeptRecording> {
  let others: KeptRecording[] = [...unlisted];
  let after = -1;
  for (;;) {
    const { ended = [] } = await catalogue.usage({ kind: 'ended', after, limit: pageLength });
    const numbered = ended.filter(({ number }) => number >= 0);
    if (after === -1) {
      const cutOff = ended.filter(({ number }) => number < 0).flatMap(keptRecording);
      others = [...others, ...cutOff].sort((a, b) => (a.id < b.id ? -1 : 1));
    }
    for (const recording of numbered.flatMap(keptRecording)) {
      let older = 0;
      while ((others[older]?.startMs ?? Number.POSITIVE_INFINITY) <= recording.startMs) older += 1;
      yield* others.splice(0, older);
      yield recording;
    }
    after = numbered.at(-1)?.number ?? after;
    if (numbered.length < pageLength) break;
  }
  yield* others;
}

function keptRecording({ id, end, bytes }: EndedRecording): KeptRecording[] {
  const name = parseRecordingID(id);
  return name ? [{ id, ...name, endMs: end / 1000, bytes }] : [];
}

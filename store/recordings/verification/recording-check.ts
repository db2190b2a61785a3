import type { FileHandle } from 'node:fs/promises';
import type { OpenRecording } from '../files/recording-files.ts';
import {
  beginIndex,
  extendIndex,
  type FragmentIndex,
  type IndexedFragment,
} from '../fragments/fragment-index.ts';
import { readHeaders } from '../fragments/header-reader.ts';
import { boxAt } from '../mp4/box-reader.ts';
import { readFragmentHeader, type SampleRun } from '../mp4/fragment-header.ts';
import type { MovieHeader } from '../mp4/movie-header.ts';

/** Shorter gaps are a camera's own rhythm. */
const minGapSeconds = 1;
const boxHeaderBytes = 8;
const longBoxHeaderBytes = 16;

export interface RecordingCheck {
  /** One line each. */
  readonly problems: readonly string[];
  /** What of it plays; undefined if nothing does. */
  readonly index: FragmentIndex | undefined;
}

/**
 * Reads every fragment of a recording from the file itself, not from its stored index. The pictures are not decoded.
 *
 * @param isGrowing whether its last fragment may be unfinished.
 * @throws errors of the file system.
 */
export async function checkRecording(
  { handle, bytes }: OpenRecording,
  isGrowing: boolean,
): Promise<RecordingCheck> {
  const begun = await beginIndex(handle, bytes);
  if (!begun) {
    const problem = bytes === 0 ? 'is empty' : 'does not begin as a recording does';
    return { problems: [problem], index: undefined };
  }
  const index = await extendIndex(readHeaders(handle), bytes, begun);
  const problems = [...problemsOf(index)];
  if (index.end < bytes && !isGrowing) problems.push(await describeEnd(handle, index.end, bytes));
  else if (index.fragments.length === 0 && !isGrowing) problems.push('has no frames');
  return { problems, index: index.fragments.length > 0 ? index : undefined };
}

function* problemsOf({ init, movie, fragments, end }: FragmentIndex): Generator<string> {
  if (fragments[0]?.keyFrame === false) yield 'does not begin with a key frame';
  let whole = init.length;
  for (const fragment of fragments) {
    if (fragment.offset !== whole || !hasItsSamples(fragment, movie)) break;
    whole += fragment.bytes;
  }
  // Readers skip boxes that they do not know, and with them what a damaged one held.
  if (whole < end) yield `is damaged at byte ${whole}`;
  yield* gapsIn(fragments, movie.video.ticksPerSecond);
}

function* gapsIn(fragments: readonly IndexedFragment[], ticksPerSecond: number): Generator<string> {
  let end = fragments[0]?.decodeTime ?? 0;
  const [first, ...others] = fragments.flatMap(({ decodeTime, duration }) => {
    const [at, seconds] = [end / ticksPerSecond, (decodeTime - end) / ticksPerSecond];
    end = decodeTime + duration;
    return seconds >= minGapSeconds ? [{ at, seconds }] : [];
  });
  if (!first) return;
  const more = others.length > 0 ? `, and ${others.length} more` : '';
  yield `has a gap of ${first.seconds.toFixed(1)} s after ${first.at.toFixed(1)} s${more}`;
}

/** Whether the samples that a fragment announces are inside its `mdat`. */
function hasItsSamples({ header, bytes }: IndexedFragment, movie: MovieHeader): boolean {
  const samples = readFragmentHeader(header, movie);
  const isInside = (run: SampleRun | undefined) =>
    !run ||
    (run.dataOffset >= header.length + boxHeaderBytes &&
      run.sizes.reduce((sum, size) => sum + size, run.dataOffset) <= bytes);
  return samples !== undefined && isInside(samples.video) && isInside(samples.audio);
}

/** Why reading ended before the end of the file: a fragment that is not whole, or something else. */
async function describeEnd(handle: FileHandle, end: number, bytes: number): Promise<string> {
  return (await isCutOff(handle, end, bytes))
    ? `is cut off: its last ${bytes - end} bytes are no whole fragment, the ${end} bytes before play`
    : `is damaged from byte ${end} of ${bytes} on`;
}

/**
 * Whether there is a fragment that is not whole.
 *
 * @param end where it may begin. @param bytes the size of the file. @throws errors of the file system.
 */
export async function isCutOff(handle: FileHandle, end: number, bytes: number): Promise<boolean> {
  let at = end;
  for (const type of ['moof', 'mdat']) {
    if (bytes - at < boxHeaderBytes) return true;
    const { buffer } = await handle.read(Buffer.alloc(longBoxHeaderBytes), 0, longBoxHeaderBytes, at);
    const box = boxAt(buffer, 0);
    if (box?.type !== type) return false;
    at += box.end;
    if (at > bytes) return true;
  }
  return false;
}

import type { FileHandle } from 'node:fs/promises';
import type { MachineStart } from '../../../bus/base/machine-clock.ts';
import { readFragmentTime } from '../../../bus/fragment-time.ts';
import { boxAt, boxesIn } from '../mp4/box-reader.ts';
import { readFragmentHeader } from '../mp4/fragment-header.ts';
import { type MovieHeader, readMovieHeader } from '../mp4/movie-header.ts';
import type { HeaderReader } from './header-reader.ts';

/** One fragment of a recording: where it is, and when. Times in ticks of the video track. */
export interface IndexedFragment {
  /** In the file, in bytes: of `moof` and `mdat` together. */
  readonly offset: number;
  readonly bytes: number;
  /** Its `moof`. */
  readonly header: Buffer;
  readonly decodeTime: number;
  readonly duration: number;
  /** Decoding can begin with its first frame. */
  readonly keyFrame: boolean;
  /** When its first frame is shown minus when it is decoded. */
  readonly shownOffset: number;
  /** When its first frame was taken, Unix time in microseconds; recordings of older versions do not say it. */
  readonly timeUs: number | undefined;
  /** By which clock. */
  readonly machine: MachineStart | undefined;
  /** Where its `moof` says so, in bytes from the beginning of the file. */
  readonly timeOffset: number;
}

/** The fragments of a recording. Those of a file that grows are its whole ones. */
export interface FragmentIndex {
  /** `ftyp` and `moov`. */
  readonly init: Buffer;
  readonly movie: MovieHeader;
  readonly fragments: readonly IndexedFragment[];
  /** Where the last whole fragment ends, in bytes. */
  readonly end: number;
}

/** An init segment, and a fragment's `moof` with the header of its `mdat`, are seldom longer. */
const initProbeBytes = 4096;
const fragmentProbeBytes = 2048;
/** Past this length, a box is taken for damaged. */
const maxHeaderBytes = 4 * 1024 * 1024;
/** Headers of a recording's first fragment are shorter. */
const firstProbeBytes = 64 * 1024;
const longestBoxHeader = 16;

/** @returns undefined if the file does not begin as a recording does. @throws errors of the file system. */
export async function beginIndex(handle: FileHandle, size: number): Promise<FragmentIndex | undefined> {
  let init = await readPart(handle, 0, Math.min(size, initProbeBytes));
  for (let at = 0; ; ) {
    const box = boxAt(init, at);
    if (!box || box.end > Math.min(size, maxHeaderBytes)) return undefined;
    if (box.end + longestBoxHeader > init.length && init.length < size)
      init = await readPart(handle, 0, Math.min(size, box.end + initProbeBytes));
    at = box.end;
    if (box.type === 'moov') return indexOf(init.subarray(0, at));
  }
}

/** An index without fragments. @param init is copied. */
export function indexOf(init: Buffer): FragmentIndex | undefined {
  const [kept = init] = inOnePiece([init]);
  const movie = orUndefined(() => readMovieHeader(kept));
  return movie && { init: kept, movie, fragments: [], end: kept.length };
}

/** @param begun the index without fragments. @throws errors of the file system. */
export async function findFirstFragment(
  handle: FileHandle,
  size: number,
  { movie, end }: FragmentIndex,
): Promise<IndexedFragment | undefined> {
  return fragmentAt(movie, await readPart(handle, end, Math.min(size - end, firstProbeBytes)), end);
}

/**
 * Reads the fragments after those that are known, up to the last whole one.
 *
 * @param size of the file. @throws errors of the file system.
 */
export async function extendIndex(
  reader: HeaderReader,
  size: number,
  known: FragmentIndex,
): Promise<FragmentIndex> {
  const found: IndexedFragment[] = [];
  let end = known.end;
  while (end < size) {
    let probe = await reader.at(end, Math.min(size - end, fragmentProbeBytes));
    const first = boxAt(probe, 0);
    if (!first || end + first.end > size) break;
    if (first.type === 'moof') {
      if (first.end > maxHeaderBytes) break;
      if (first.end + longestBoxHeader > probe.length && probe.length < size - end)
        probe = await reader.at(end, Math.min(size - end, first.end + longestBoxHeader));
      const fragment = fragmentAt(known.movie, probe, end);
      if (!fragment || end + fragment.bytes > size) break;
      // The reader's memory is used again.
      found.push({ ...fragment, header: Buffer.from(fragment.header) });
      end += fragment.bytes;
    } else end += first.end;
  }
  const headers = inOnePiece(found.map(({ header }) => header));
  const fragments = found.map((fragment, n) => ({ ...fragment, header: headers[n] ?? fragment.header }));
  return { ...known, fragments: [...known.fragments, ...fragments], end };
}

/**
 * Copies what is to be kept: the rest of what was read would be kept with it, and so would the 8 KB of Node.js's pool from which
 * a small copy is cut, for each 300 bytes.
 */
function inOnePiece(parts: readonly Buffer[]): Buffer[] {
  const whole = Buffer.allocUnsafeSlow(parts.reduce((sum, { length }) => sum + length, 0));
  let end = 0;
  return parts.map((part) => {
    const begin = end;
    end += part.copy(whole, begin);
    return whole.subarray(begin, end);
  });
}

/**
 * @param data begins with a `moof`, and the header of the `mdat` after it; the fragment keeps it in memory
 * @param offset of the fragment in its file
 */
export function fragmentAt(movie: MovieHeader, data: Buffer, offset: number): IndexedFragment | undefined {
  const moof = boxAt(data, 0);
  const mdat = moof && boxAt(data, moof.end);
  if (moof?.type !== 'moof' || mdat?.type !== 'mdat') return undefined;
  const header = data.subarray(0, moof.end);
  const video = orUndefined(() => readFragmentHeader(header, movie))?.video;
  if (!video) return undefined;
  const duration = video.durations.reduce((sum, each) => sum + each, 0);
  const keyFrame = video.keyFrames[0] ?? false;
  const [time] = boxesIn(header, moof.content, moof.end).filter(({ type }) => type === 'uuid');
  const taken = time && readFragmentTime(header.subarray(time.content, time.end));
  const shownOffset = video.compositionOffsets[0] ?? 0;
  const { decodeTime } = video;
  const timeOffset = offset + (time?.content ?? 0);
  const when = { timeUs: taken?.timeUs, machine: taken?.machine, timeOffset };
  return { offset, bytes: mdat.end, header, decodeTime, duration, keyFrame, shownOffset, ...when };
}

async function readPart(handle: FileHandle, position: number, length: number): Promise<Buffer> {
  const { buffer, bytesRead } = await handle.read(Buffer.allocUnsafe(length), 0, length, position);
  return buffer.subarray(0, bytesRead);
}

/** Damaged boxes are shorter than they say. */
function orUndefined<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

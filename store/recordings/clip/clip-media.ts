import { setImmediate } from 'node:timers/promises';
import type { IndexedFragment } from '../fragments/fragment-index.ts';
import { type FragmentSamples, readFragmentHeader, type SampleRun } from '../mp4/fragment-header.ts';
import { type Footage, type FootagePart, ticksAt, timeAt } from '../playback/footage.ts';
import { ClipTrack } from './clip-track.ts';

/** Consecutive bytes of a recording's file. */
export interface ClipPiece {
  readonly id: string;
  readonly offset: number;
  bytes: number;
}

/** The samples of a clip, and where their bytes are. */
export interface ClipMedia {
  readonly video: ClipTrack;
  readonly audio: ClipTrack | undefined;
  readonly pieces: readonly ClipPiece[];
  /** Of `pieces` together. */
  readonly bytes: number;
  /** When the first frame of the span is shown, and how long the clip lasts from then on: in ticks of video. */
  readonly shownFrom: number;
  readonly shownTicks: number;
  /** When that frame was taken: Unix time in microseconds. */
  readonly startUs: number;
}

/** Audio may be in a fragment that is so many before or after the one with its pictures. */
const audioReach = 2;
/** Fragments that are read before other work has its turn. */
const fragmentsPerTurn = 200;

/**
 * Collects the samples of a span, whose parts have one layout: video from the key frame before it on, audio from just before
 * it. Time in which nothing was recorded is left out.
 *
 * @returns undefined if no frame was taken in the span.
 */
export async function collectClip({ startUs, endUs, parts }: Footage): Promise<ClipMedia | undefined> {
  const [first] = parts;
  if (!first) return undefined;
  const { video, audio } = first.index.movie;
  const collector = new ClipCollector(video.ticksPerSecond, audio?.ticksPerSecond);
  for (const part of parts) {
    const { fromUs = startUs, toUs = endUs } = part;
    await collector.add(part, Math.max(startUs, fromUs), Math.min(endUs, toUs));
  }
  return collector.media();
}

interface ReadFragment {
  readonly fragment: IndexedFragment;
  readonly samples: FragmentSamples;
}

class ClipCollector {
  readonly #video: ClipTrack;
  readonly #audio: ClipTrack | undefined;
  readonly #pieces: ClipPiece[] = [];
  #bytes = 0;
  #shown: { readonly from: number; readonly startUs: number } | undefined;
  #shownEnd = 0;

  constructor(videoRate: number, audioRate: number | undefined) {
    this.#video = new ClipTrack(videoRate);
    this.#audio = audioRate === undefined ? undefined : new ClipTrack(audioRate);
  }

  media(): ClipMedia | undefined {
    if (!this.#shown) return undefined;
    const { from, startUs } = this.#shown;
    const tracks = { video: this.#video, audio: this.#audio?.samples ? this.#audio : undefined };
    const media = { pieces: this.#pieces, bytes: this.#bytes };
    return { ...tracks, ...media, shownFrom: from, shownTicks: this.#shownEnd - from, startUs };
  }

  async add(part: FootagePart, startUs: number, endUs: number): Promise<void> {
    const rate = this.#video.ticksPerSecond;
    const { fragments } = part.index;
    const [first] = fragments;
    if (!first) return;
    /** A frame was taken when it is decoded, if it is shown so much later. */
    const lag = first.shownOffset;
    /** Times of the span in ticks of this file; frames from `from` to before `to` are shown. */
    const [from, to] = [ticksAt(part, startUs) + lag, ticksAt(part, endUs) + lag];
    const begin = keyFragmentBefore(part, from);
    const end = fragments.findLastIndex(({ decodeTime }) => decodeTime < to) + 1;
    const lead = Math.min(begin, audioReach);
    const read = await readFragments(part, begin - lead, end + audioReach);
    const range = visibleRange(read.slice(lead), from, to);
    if (!range) return;

    const shift = this.#video.end - (fragments[begin]?.decodeTime ?? 0);
    const audioRate = this.#audio?.ticksPerSecond ?? 1;
    const audioFrom = this.#shown ? Number.NEGATIVE_INFINITY : (range.from * audioRate) / rate;
    const window = {
      from: audioFrom,
      to: (range.end * audioRate) / rate,
      shift: Math.round((shift * audioRate) / rate),
    };
    this.#shown ??= {
      from: range.from + shift,
      startUs: timeAt(part, range.from - lag),
    };
    this.#shownEnd = range.end + shift;
    for (const [index, { fragment, samples }] of read.entries()) {
      const kept = index < lead ? 0 : Math.min(range.kept(fragment), samples.video?.sizes.length ?? 0);
      if (samples.video && kept > 0) this.#addVideo(part.id, fragment, samples.video, kept, shift);
      if (samples.audio) this.#addAudio(part.id, fragment, samples.audio, window);
    }
  }

  #addVideo(id: string, { offset }: IndexedFragment, run: SampleRun, kept: number, shift: number): void {
    this.#video.beginChunk(this.#bytes, kept);
    let time = run.decodeTime + shift;
    let bytes = 0;
    for (let index = 0; index < kept; index += 1) {
      const [duration = 0, size = 0] = [run.durations[index], run.sizes[index]];
      this.#video.add(
        time,
        duration,
        size,
        run.compositionOffsets[index] ?? 0,
        run.keyFrames[index] ?? false,
      );
      time += duration;
      bytes += size;
    }
    this.#addPiece(id, offset + run.dataOffset, bytes);
  }

  #addAudio(
    id: string,
    { offset }: IndexedFragment,
    run: SampleRun,
    { from, to, shift }: { readonly from: number; readonly to: number; readonly shift: number },
  ): void {
    const track = this.#audio;
    if (!track) return;
    let time = run.decodeTime;
    let at = offset + run.dataOffset;
    let begin = at;
    let samples = 0;
    let bytes = 0;
    for (let index = 0; index < run.durations.length; index += 1) {
      const [duration = 0, size = 0] = [run.durations[index], run.sizes[index]];
      // One more before the span, from which a decoder begins; none that overlaps what the file before ended with.
      const overlaps = time + shift <= track.last || time + shift < track.end - duration / 2;
      if (time + 2 * duration > from && time < to && (samples > 0 || !overlaps)) {
        if (samples === 0) begin = at;
        track.add(time + shift, duration, size, 0, false);
        samples += 1;
        bytes += size;
      }
      time += duration;
      at += size;
    }
    if (samples === 0) return;
    track.beginChunk(this.#bytes, samples);
    this.#addPiece(id, begin, bytes);
  }

  #addPiece(id: string, offset: number, bytes: number): void {
    const last = this.#pieces.at(-1);
    if (last?.id === id && last.offset + last.bytes === offset) last.bytes += bytes;
    else this.#pieces.push({ id, offset, bytes });
    this.#bytes += bytes;
  }
}

/** When the first frame of a fragment is shown, in ticks of its file. */
const shownFirst = (fragment: IndexedFragment | undefined): number =>
  fragment ? fragment.decodeTime + fragment.shownOffset : 0;

/** The last fragment from which the frame that is shown then can be decoded. */
function keyFragmentBefore(part: FootagePart, from: number): number {
  const { fragments } = part.index;
  let at = fragments.findLastIndex(({ keyFrame, decodeTime }) => keyFrame && decodeTime <= from);
  // Its first frame may be shown later than it is decoded.
  while (at > 0 && (!fragments[at]?.keyFrame || shownFirst(fragments[at]) > from)) at -= 1;
  return Math.max(0, at);
}

async function readFragments(part: FootagePart, begin: number, end: number): Promise<ReadFragment[]> {
  const read: ReadFragment[] = [];
  for (const fragment of part.index.fragments.slice(begin, end)) {
    const samples = readFragmentHeader(fragment.header, part.index.movie);
    if (samples) read.push({ fragment, samples });
    if (read.length % fragmentsPerTurn === 0) await setImmediate();
  }
  return read;
}

interface VisibleRange {
  /** When the first frame of the span is shown. */
  readonly from: number;
  /** When the last frame of the span is shown no more. */
  readonly end: number;
  /** The number of frames of a fragment that are needed. */
  kept(fragment: IndexedFragment): number;
}

/** @returns undefined if no frame is shown from `from` to before `to`. Times in ticks of the file. */
function visibleRange(read: readonly ReadFragment[], from: number, to: number): VisibleRange | undefined {
  let first = Number.POSITIVE_INFINITY;
  let end = Number.NEGATIVE_INFINITY;
  let last: { readonly fragment: IndexedFragment; readonly samples: number } | undefined;
  for (const { fragment, samples } of read) {
    const { decodeTime = 0, durations = [], compositionOffsets = [] } = samples.video ?? {};
    let time = decodeTime;
    let needed = 0;
    for (let index = 0; index < durations.length; index += 1) {
      const duration = durations[index] ?? 0;
      const shown = time + (compositionOffsets[index] ?? 0);
      time += duration;
      if (shown >= to) continue;
      needed = index + 1;
      end = Math.max(end, shown + duration);
      if (shown >= from) first = Math.min(first, shown);
    }
    if (needed > 0) last = { fragment, samples: needed };
  }
  const wanted = last;
  if (!wanted || first === Number.POSITIVE_INFINITY) return undefined;
  const kept = (fragment: IndexedFragment) => {
    if (fragment === wanted.fragment) return wanted.samples;
    return fragment.offset < wanted.fragment.offset ? Number.POSITIVE_INFINITY : 0;
  };
  return { from: first, end: Math.min(end, Math.round(to)), kept };
}

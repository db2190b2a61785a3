import { signal } from '@preact/signals';
import { ask, contentOf, RequestFailure } from '../../data/request.ts';
import { withoutBase } from '../../data/under-base.ts';
import { mediaSource, type OpenedSource, openSource } from '../../media/media-source.ts';
import { FootageIndex, holeUs } from './footage-index.ts';
import { firstPictureS, type MovieHead, readHead } from './movie-bytes.ts';
import type { IndexedSegment } from './playlist-index.ts';

/** How a monitor is at a time: it can be shown, it is on its way, or there is nothing. */
export type Readiness = 'ready' | 'coming' | 'nothing';

/** Media that is loaded ahead, in seconds of playing. */
const aheadS = 8;
/** Kept after it was shown, in seconds. */
const behindS = 20;
/** Times of the media begin so long before the first one that is asked for, so that one can go back. */
const epochUs = 60 * 86_400e6;
/** The file's own clock may be corrected meanwhile; within this, pictures go on as they are. In seconds. */
const maxDriftS = 0.1;
/** The last picture of a part ends about here. */
const edgeUs = 150_000;
/** After a failure, in milliseconds. */
const retryMs = 1000;
/** What a browser without it cannot play. */
const noMediaSource = 'Media Source Extensions';

/** There is nothing to show in a file. */
class EmptyFile extends Error {
  override readonly name = 'EmptyFile';
}

/** Shows the recordings of one monitor in a video element, whose media time is wall time. */
export class MonitorPlayback {
  readonly monitorID: string;
  readonly video: HTMLVideoElement;
  readonly index: FootageIndex;
  /** The codec, or the way of playing, that the browser does not have. */
  readonly unplayable = signal<string | undefined>(undefined);
  /** Why media cannot be loaded at the moment, as a sentence. */
  problem: string | undefined;
  readonly #aborter = new AbortController();
  readonly #opened: OpenedSource | undefined;
  readonly #epoch: number;
  #buffer: SourceBuffer | undefined;
  #fetching: AbortController | undefined;
  #heads = new Map<string, { readonly bytes: ArrayBuffer; readonly head: MovieHead }>();
  /** The file whose beginning was appended last, and by how much its times were moved. */
  #current: { readonly file: string; readonly offsetS: number } | undefined;
  /** What is appended next. */
  #next: IndexedSegment | undefined;
  #isFailed = false;

  /** @param from the first time that is asked for, in microseconds. */
  constructor(monitorID: string, video: HTMLVideoElement, from: number) {
    this.monitorID = monitorID;
    this.video = video;
    this.index = new FootageIndex(monitorID);
    this.#epoch = Math.floor(from - epochUs);
    const { signal } = this.#aborter;
    video.addEventListener('error', () => this.#fail(), { signal });
    this.#opened = openSource(video);
    if (!this.#opened) this.unplayable.value = noMediaSource;
  }

  close(): void {
    this.#aborter.abort();
    this.#fetching?.abort();
    this.index.close();
    this.video.removeAttribute('src');
    this.video.load();
    if (this.#opened) URL.revokeObjectURL(this.#opened.address);
  }

  /** The time on the screen. */
  get time(): number {
    return this.#epoch + this.video.currentTime * 1e6;
  }

  readiness(time: number): Readiness {
    if (this.unplayable.value !== undefined) return 'nothing';
    const segment = this.index.at(time);
    if (!segment) return this.index.knows(time) ? 'nothing' : 'coming';
    const isLast = time > segment.end - edgeUs && !this.index.at(segment.end + holeUs / 2);
    if (isLast && this.index.knows(segment.end)) return 'nothing';
    return this.#isBuffered(time) ? 'ready' : 'coming';
  }

  /** Loads what a player at this time needs next; to be called again and again. */
  feed(time: number, speed: number): void {
    this.index.look(time);
    if (!this.#opened || this.#fetching || this.#isFailed || this.#aborter.signal.aborted) return;
    const here = this.index.at(time);
    if (!this.#isBuffered(time)) {
      const start = here ?? this.#upcoming(time);
      if (start && start !== this.#next) this.#next = start;
      // Appended already, although there is no picture yet at this very time.
      if (here && this.#appended === here) this.#next = this.index.after(here);
    }
    // What is being recorded has grown.
    if (!this.#next && this.#appended) this.#next = this.index.after(this.#appended);
    const next = this.#next;
    if (!next || next.start - time > aheadS * Math.max(1, speed) * 1e6) return;
    void this.#load(next);
  }

  /** Shows this time, exactly. */
  seek(time: number): void {
    const wanted = this.#inside((time - this.#epoch) / 1e6);
    if (Math.abs(this.video.currentTime - wanted) > 0.001) this.video.currentTime = wanted;
  }

  /** The part that was appended last. */
  #appended: IndexedSegment | undefined;

  /** The part after a hole, so that it is there in time. */
  #upcoming(time: number): IndexedSegment | undefined {
    const start = this.index.nextStart(time);
    return start === undefined ? undefined : this.index.at(start);
  }

  /** Between two files may be a hole of some pictures' length, in which no picture is. */
  #inside(timeS: number): number {
    const { buffered } = this.video;
    for (let index = 0; index < buffered.length; index += 1) {
      if (timeS < buffered.start(index) && buffered.start(index) - timeS <= holeUs / 1e6)
        return buffered.start(index) + 0.001;
      if (timeS < buffered.end(index)) break;
    }
    return timeS;
  }

  #isBuffered(time: number): boolean {
    const timeS = this.#inside((time - this.#epoch) / 1e6);
    const { buffered } = this.video;
    for (let index = 0; index < buffered.length; index += 1)
      if (buffered.start(index) <= timeS && timeS < buffered.end(index) - 0.02) return true;
    return false;
  }

  async #load(segment: IndexedSegment): Promise<void> {
    const fetching = new AbortController();
    this.#fetching = fetching;
    const signal = AbortSignal.any([fetching.signal, this.#aborter.signal]);
    try {
      const beginning = await this.#headOf(segment, signal);
      const bytes = await bytesOf(segment.file, segment.offset, segment.bytes, signal);
      await this.#append(segment, beginning, bytes);
      this.#appended = segment;
      if (this.#next === segment) this.#next = this.index.after(segment);
      this.problem = undefined;
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof EmptyFile || (error instanceof RequestFailure && error.status === 404)) {
        this.problem = undefined;
        this.#forgetFile(segment.file);
        return;
      }
      if (error instanceof RequestFailure) this.problem = error.message;
      // It is asked for again with the next call.
      await new Promise((resolve) => setTimeout(resolve, retryMs));
    } finally {
      this.#fetching = undefined;
    }
  }

  /** It was deleted since the index was asked for, or shows nothing. */
  #forgetFile(file: string): void {
    this.index.forget(file);
    this.#heads.delete(file);
    if (this.#next?.file === file) this.#next = undefined;
  }

  async #headOf({ file, initBytes }: IndexedSegment, signal: AbortSignal) {
    const known = this.#heads.get(file);
    if (known) return known;
    const bytes = await bytesOf(file, 0, initBytes, signal);
    const head = readHead(bytes);
    if (!head) throw new EmptyFile(file);
    const beginning = { bytes, head };
    this.#heads.set(file, beginning);
    return beginning;
  }

  async #append(
    segment: IndexedSegment,
    { bytes: init, head }: { readonly bytes: ArrayBuffer; readonly head: MovieHead },
    bytes: ArrayBuffer,
  ): Promise<void> {
    const source = this.#opened?.source;
    if (!source || !mediaSource()?.isTypeSupported(head.mime)) {
      this.unplayable.value = head.codec;
      return;
    }
    this.unplayable.value = undefined;
    if (source.readyState !== 'open') await once(source, 'sourceopen');
    this.#buffer ??= source.addSourceBuffer(head.mime);
    const buffer = this.#buffer;
    const wallS = (segment.start - this.#epoch) / 1e6;
    const offsetS = wallS - (firstPictureS(bytes, head) ?? 0);
    const isSameFile = this.#current?.file === segment.file;
    if (!isSameFile) {
      buffer.changeType(head.mime);
      buffer.appendBuffer(init);
      await once(buffer, 'updateend');
    }
    if (!isSameFile || Math.abs(offsetS - (this.#current?.offsetS ?? 0)) > maxDriftS) {
      buffer.timestampOffset = offsetS;
      this.#current = { file: segment.file, offsetS };
    }
    try {
      buffer.appendBuffer(bytes);
    } catch {
      // The browser's memory for media is full.
      await this.#forget(2);
      buffer.appendBuffer(bytes);
    }
    await once(buffer, 'updateend');
    await this.#forget(behindS);
  }

  async #forget(keptS: number): Promise<void> {
    const buffer = this.#buffer;
    const { currentTime, buffered } = this.video;
    if (!buffer || buffered.length === 0 || buffered.start(0) > currentTime - keptS * 2) return;
    buffer.remove(0, currentTime - keptS);
    await once(buffer, 'updateend');
  }

  #fail(): void {
    if (this.#aborter.signal.aborted) return;
    this.#isFailed = true;
    this.unplayable.value = this.video.error?.message ?? '';
  }
}

function once(target: EventTarget, event: string): Promise<unknown> {
  return new Promise((resolve) => target.addEventListener(event, resolve, { once: true }));
}

async function bytesOf(file: string, offset: number, length: number, signal: AbortSignal) {
  const headers = { Range: `bytes=${offset}-${offset + length - 1}` };
  const answer = await ask(withoutBase(file), { headers, signal });
  if (answer.status !== 206) throw new Error(`answered with ${answer.status}`);
  return contentOf(answer, (part) => part.arrayBuffer(), signal);
}

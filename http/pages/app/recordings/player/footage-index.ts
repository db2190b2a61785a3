import { getText, RequestFailure } from '../../data/request.ts';
import { underBase } from '../../data/under-base.ts';
import { filesFrom, type RecordedFile } from '../footage/recorded-file.ts';
import { type IndexedSegment, readPlaylist } from './playlist-index.ts';

/** Asked for at once: with a key frame each second, a playlist of at most 64 KB. */
const chunkUs = 8 * 60e6;
/** Holes that are shorter are none: between two files is less than that. */
export const holeUs = 500_000;
const filesAtOnce = 30;
/** What is being recorded is asked for again after this time. */
const growMs = 2000;
/** A machine that is away may be back. */
const awayMs = 5000;
const freshUs = 10e6;
/** A recording that has just begun may have nothing in its file. */
const leastUs = 2e6;

/** Where the recordings of a monitor are, as far as somebody has asked. Times are Unix times in microseconds. */
export class FootageIndex {
  readonly monitorID: string;
  readonly #aborter = new AbortController();
  #segments: IndexedSegment[] = [];
  #files: RecordedFile[] = [];
  #from = 0;
  #to = -1;
  #loading: Promise<void> | undefined;
  #retryMs = 0;
  #awayMs = 0;
  problem: string | undefined;

  constructor(monitorID: string) {
    this.monitorID = monitorID;
  }

  close(): void {
    this.#aborter.abort();
  }

  /** Whether it is known what is at this time. */
  knows(time: number): boolean {
    return this.#from <= time && time < this.#to;
  }

  /** The part that shows this time, if it is known. */
  at(time: number): IndexedSegment | undefined {
    return this.#segments.find(({ start, end }) => start - holeUs <= time && time < end);
  }

  /** The part after this one. */
  after({ start }: IndexedSegment): IndexedSegment | undefined {
    return this.#segments.find((one) => one.start > start);
  }

  /** When the next part begins, also one whose parts are not known yet; undefined if there is none. */
  nextStart(time: number): number | undefined {
    const known = this.#segments.find(({ start }) => start > time);
    if (known) return known.start;
    // Of what is known there are no other parts: a file in it has nothing to show.
    return this.#files.find(({ start, away }) => !away && start > time && start >= this.#to)?.start;
  }

  /** A file is no longer there. @param file its address */
  forget(file: string): void {
    const isOf = ({ id }: RecordedFile) => decodeURIComponent(file).includes(`/${id}/`);
    this.#segments = this.#segments.filter((segment) => segment.file !== file);
    this.#files = this.#files.filter((one) => !isOf(one));
  }

  /** The file of this time, if it is known; one that can be played if there is one. */
  fileAt(time: number): RecordedFile | undefined {
    const found = this.#files.filter(
      ({ start, end }) => start - holeUs <= time && time < (end ?? Date.now() * 1000),
    );
    return found.find(({ away }) => !away) ?? found[0];
  }

  /** The machine that alone has recorded this time, and is away. */
  awayAt(time: number): string | undefined {
    const file = this.fileAt(time);
    return file?.away ? file.machine : undefined;
  }

  /** Asks what is at this time and after it, unless it is known or was asked a moment ago. */
  look(time: number): void {
    if (this.#loading || this.#aborter.signal.aborted) return;
    const isKnown = this.knows(time) && !(this.awayAt(time) && performance.now() >= this.#awayMs);
    if (isKnown && this.#to - time > chunkUs / 4) return;
    // The end of what is known is the present: new parts come one by one.
    if (performance.now() < this.#retryMs && (isKnown || time >= this.#from)) return;
    const from = isKnown || Math.abs(time - this.#to) < holeUs ? this.#to : time;
    this.#loading = this.#load(from).finally(() => {
      this.#loading = undefined;
    });
  }

  async #load(from: number): Promise<void> {
    const { signal } = this.#aborter;
    try {
      const files = await filesFrom(this.monitorID, from, filesAtOnce, signal);
      this.#awayMs = performance.now() + awayMs;
      // What cannot be played is as if it had not been recorded.
      const first = files.find(({ away }) => !away);
      const nowUs = Date.now() * 1000;
      // Of the present nothing is on the disk yet, of a moment ago something is.
      const earliest = first?.end === null ? Math.min(from, nowUs - freshUs) : from;
      const begin = Math.max(earliest, first?.start ?? nowUs);
      const last = files.at(-1);
      const known = files.length < filesAtOnce ? nowUs : (last?.end ?? nowUs);
      const end = Math.min(begin + chunkUs, known);
      const segments = first && end - begin > leastUs ? await this.#segmentsOf(begin, end) : [];
      const continues = from === this.#to;
      const have = continues
        ? this.#segments.filter(({ start }) => start < (segments[0]?.start ?? Infinity))
        : [];
      this.#segments = [...have, ...segments];
      this.#files = continues
        ? [...this.#files.filter(({ id }) => !files.some((one) => one.id === id)), ...files]
        : files;
      if (!continues) this.#from = Math.min(from, segments[0]?.start ?? from);
      // Of what is being recorded, only what is in the playlist is known.
      const isGrowing = end >= nowUs - 1 && files.some((file) => file.end === null);
      this.#to = isGrowing ? Math.max(segments.at(-1)?.end ?? 0, from) : end;
      this.#retryMs = end >= nowUs - 1 ? performance.now() + growMs : 0;
      this.problem = undefined;
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof RequestFailure)) throw error;
      this.#retryMs = performance.now() + growMs;
      this.problem = error.message;
    }
  }

  async #segmentsOf(begin: number, end: number): Promise<IndexedSegment[]> {
    const path = `/api/monitor/${this.monitorID}/playlist.m3u8?start=${Math.floor(begin)}&end=${Math.ceil(end)}`;
    return readPlaylist(await getText(path), new URL(underBase(path), location.href).href);
  }
}

import { Readable } from 'node:stream';
import { siteRecordingID, splitSiteID } from '../../bus/recording-id.ts';
import type { ClipFootage, OpenMedia } from '../../store/recordings/clip/clip-footage.ts';
import type { FootagePart } from '../../store/recordings/playback/footage.ts';
import type { RecordingArchive } from '../../store/recordings/recording-archive.ts';
import { HttpError } from '../request/http-error.ts';
import type { Site } from '../state/site.ts';
import type { MachineFootage } from './footage/shown-footage.ts';
import type { PeerRequests } from './peer-requests.ts';
import { askForIndex, machineCaller } from './peer-routes.ts';

export interface SiteClipOptions {
  readonly site: Site;
  readonly recordings: Pick<RecordingArchive, 'footage' | 'openMedia'>;
  readonly peers: PeerRequests;
}

/** A recording as the log knows it. */
export interface KnownRecording extends MachineFootage {
  readonly id: string;
}

/** By the recordings' ids with their machines. */
type KnownIndexes = Map<string, Awaited<ReturnType<typeof askForIndex>>>;

/** What a clip of several machines' footage is made of: where the fragments are is asked first, their bytes when they are read. */
export class SiteClip {
  readonly #options: SiteClipOptions;

  constructor(options: SiteClipOptions) {
    this.#options = options;
  }

  /**
   * @param shown whose footage is shown when, from the beginning of the span to its end.
   * @param signal aborted when nobody waits for the clip any more.
   * @throws {HttpError} `unavailable` if one of the machines does not answer; the signal's reason.
   */
  async source(
    monitorID: string,
    recorded: readonly KnownRecording[],
    shown: readonly MachineFootage[],
    signal: AbortSignal,
  ): Promise<ClipFootage> {
    const parts: FootagePart[] = [];
    const indexes: KnownIndexes = new Map();
    for (const { machine, start, end } of shown) {
      signal.throwIfAborted();
      const within = { fromUs: start, toUs: end };
      const found = recorded.filter((one) => one.machine === machine && one.start < end && one.end > start);
      const own = machine === this.#options.site.machine;
      const ofTile = own
        ? await this.#ownParts(monitorID, start, end)
        : await this.#theirParts(found, indexes, signal);
      parts.push(...ofTile.map((part) => ({ ...part, ...within })));
    }
    const [startUs, endUs] = [shown[0]?.start ?? 0, shown.at(-1)?.end ?? 0];
    return { footage: { startUs, endUs, parts }, open: (id) => this.#open(id) };
  }

  async #ownParts(monitorID: string, startUs: number, endUs: number): Promise<readonly FootagePart[]> {
    return (await this.#options.recordings.footage(monitorID, startUs, endUs)).parts;
  }

  /** @param known a recording may be in several parts: what is asked is kept there. */
  async #theirParts(
    recorded: readonly KnownRecording[],
    known: KnownIndexes,
    signal: AbortSignal,
  ): Promise<FootagePart[]> {
    const parts: FootagePart[] = [];
    for (const { id: own, machine, start } of recorded) {
      const id = siteRecordingID(own, machine);
      if (!known.has(id)) known.set(id, await askForIndex(this.#options.peers, machine, own, signal));
      const index = known.get(id);
      if (index) parts.push({ id, startUs: start, index });
    }
    return parts;
  }

  async #open(text: string): Promise<OpenMedia | undefined> {
    const { id, machine } = splitSiteID(text);
    if (machine === undefined) return this.#options.recordings.openMedia(id);
    return { read: (from, to) => this.#read(machine, id, from, to), close: async () => {} };
  }

  async *#read(machine: string, id: string, from: number, to: number): AsyncGenerator<Uint8Array> {
    const { status, body } = await this.#options.peers.ask(machine, {
      ...{ method: 'GET', url: `/api/recording/${id}/video.mp4`, monitorID: '', caller: machineCaller },
      ...{ headers: { range: `bytes=${from}-${to - 1}` }, signal: new AbortController().signal },
    });
    if (!(body instanceof Readable)) throw unread(machine);
    if (status !== 206) {
      body.destroy();
      throw unread(machine);
    }
    // Ended early, it ends the request with it.
    let left = to - from;
    for await (const piece of body as AsyncIterable<Uint8Array>) {
      if (left === 0) break;
      left -= piece.length;
      yield piece;
    }
    if (left !== 0) throw unread(machine);
  }
}

const unread = (machine: string) =>
  new HttpError('unavailable', `${machine} does not have this recording any more.`);

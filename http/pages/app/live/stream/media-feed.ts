import { mediaSource, type OpenedSource, openSource } from '../../media/media-source.ts';
import type { StartMessage } from './live-message.ts';
import { PlaybackPace } from './playback-pace.ts';
import { SoundBuffer } from './sound-buffer.ts';

const paceMs = 100;
/** Media is removed when this much lies behind, except for the newest of it. */
const maxBehindS = 30;
const keptBehindS = 10;
const soundTrackID = 2;
/** A source that takes nothing in all this time will never open. */
const maxQueued = 1000;
/** In seconds: it takes about as long to decode a shorter group as to show a picture of it. */
const longGroupS = 0.5;

/** @returns undefined if the browser has no Media Source Extensions at all. */
export function canPlay(mime: string): boolean | undefined {
  return mediaSource()?.isTypeSupported(mime);
}

/**
 * Feeds one video element with a live stream and keeps it close to the present. `onFailure` is called once, when the
 * browser refuses the media; the feed is to be closed then.
 */
export class MediaFeed {
  readonly #video: HTMLVideoElement;
  readonly #onFailure: () => void;
  readonly #pace = new PlaybackPace();
  readonly #aborter = new AbortController();
  readonly #address: string;
  readonly #source: MediaSource;
  #buffer: SourceBuffer | undefined;
  #sound: SoundBuffer | undefined;
  #queue: ArrayBuffer[] = [];
  #appending = 0;
  #endS = 0;
  #begun = false;
  #hasGap = false;

  /** @param opened the source that the element has, if it was opened before and has had no feed. */
  constructor(
    video: HTMLVideoElement,
    format: Pick<StartMessage, 'mime' | 'sound'>,
    {
      onFailure,
      opened = openSource(video),
    }: { onFailure(): void; readonly opened?: OpenedSource | undefined },
  ) {
    if (!opened) throw new Error('this browser has no Media Source Extensions');
    this.#video = video;
    this.#onFailure = onFailure;
    this.#source = opened.source;
    this.#address = opened.address;
    const { signal } = this.#aborter;
    // In a later turn, so that a failure comes when the caller has the feed.
    if (this.#source.readyState === 'open') queueMicrotask(() => this.#open(format));
    else this.#source.addEventListener('sourceopen', () => this.#open(format), { once: true, signal });
    const stalled = () => {
      // A seek waits too, and says nothing about the connection.
      if (!video.seeking) this.#pace.stalled(performance.now());
    };
    video.addEventListener('waiting', stalled, { signal });
    video.addEventListener('error', () => this.#fail(), { signal });
    const timer = setInterval(() => this.#keepPace(), paceMs);
    signal.addEventListener('abort', () => clearInterval(timer));
  }

  /** Appends whole boxes. */
  add(bytes: ArrayBuffer): void {
    if (isSound(bytes)) {
      this.#sound?.add(bytes);
      return;
    }
    this.#queue.push(bytes);
    if (this.#queue.length > maxQueued) this.#fail();
    else this.#append();
  }

  /** The bytes from here on do not continue those before. */
  gap(): void {
    this.#hasGap = true;
  }

  close(): void {
    if (this.#aborter.signal.aborted) return;
    this.#aborter.abort();
    this.#queue = [];
    this.#video.removeAttribute('src');
    this.#video.load();
    URL.revokeObjectURL(this.#address);
  }

  #open({ mime, sound }: Pick<StartMessage, 'mime' | 'sound'>): void {
    if (this.#aborter.signal.aborted) return;
    try {
      this.#buffer = this.#source.addSourceBuffer(mime);
      if (sound && canPlay(sound.mime)) this.#sound = new SoundBuffer(this.#source, sound);
    } catch {
      this.#fail();
      return;
    }
    const { signal } = this.#aborter;
    this.#buffer.addEventListener('updateend', () => this.#appended(), { signal });
    this.#buffer.addEventListener('error', () => this.#fail(), { signal });
    this.#append();
  }

  /** One call for all that waits: each costs the browser about the same. */
  #append(): void {
    const buffer = this.#buffer;
    if (!buffer || buffer.updating || this.#queue.length === 0 || this.#source.readyState !== 'open') return;
    // The first message alone, so that playing begins as soon as possible.
    const parts = this.#begun ? this.#queue.splice(0) : this.#queue.splice(0, 1);
    this.#appending = parts.length;
    try {
      buffer.appendBuffer(joined(parts));
    } catch {
      this.#fail();
    }
  }

  #appended(): void {
    const buffer = this.#buffer;
    const { buffered } = this.#video;
    if (!buffer || this.#aborter.signal.aborted) return;
    if (buffered.length > 0) {
      const endS = buffered.end(buffered.length - 1);
      if (this.#begun && this.#appending > 0) this.#pace.grown(endS - this.#endS, this.#appending);
      this.#endS = endS;
      if (!this.#begun) this.#begin();
      else if (this.#hasGap) this.#goOn();
      this.#appending = 0;
      const { currentTime } = this.#video;
      if (currentTime - buffered.start(0) > maxBehindS && !buffer.updating) {
        buffer.remove(0, currentTime - keptBehindS);
        this.#sound?.forget(currentTime - keptBehindS);
      }
    }
    this.#append();
  }

  /** Shows the key frame first: the present is decoded from there, which for a long group takes a slow device a while. */
  #begin(): void {
    this.#begun = true;
    const video = this.#video;
    const keyFrameS = video.buffered.start(video.buffered.length - 1);
    // Without metadata no seek would end, and sound may come later than the picture.
    if (this.#sound || video.readyState < video.HAVE_METADATA || this.#endS - keyFrameS < longGroupS) {
      this.#goOn();
      return;
    }
    const { signal } = this.#aborter;
    video.addEventListener('seeked', () => this.#goOn(), { once: true, signal });
    video.currentTime = keyFrameS;
  }

  #goOn(): void {
    this.#hasGap = false;
    this.#jump();
    // Refused only if the page may not play sound by itself; then it plays after the next click.
    this.#video.play().catch(() => {});
  }

  #jump(): void {
    const { buffered } = this.#video;
    const last = buffered.length - 1;
    if (last < 0) return;
    const wanted = buffered.end(last) - this.#pace.targetS;
    this.#video.currentTime = Math.max(buffered.start(last), wanted);
  }

  #keepPace(): void {
    const picture = this.#buffer?.buffered;
    // What has no sound does not wait for it.
    const pictureEndS = picture && picture.length > 0 ? picture.end(picture.length - 1) : undefined;
    if (pictureEndS !== undefined && this.#sound?.isLate(pictureEndS, performance.now())) {
      this.#sound.end();
      this.#sound = undefined;
      this.#appended();
    }
    if (!this.#begun || this.#video.seeking) return;
    const { currentTime } = this.#video;
    const { jump, rate } = this.#pace.next(this.#endS - currentTime, performance.now());
    const { buffered } = this.#video;
    // Outside of all ranges nothing would ever play: after a hole, or when the tab was asleep.
    const last = buffered.length - 1;
    const isLost = last >= 0 && currentTime < buffered.start(last) - 0.1 && !this.#isInside(currentTime);
    if (jump || isLost) this.#jump();
    this.#video.playbackRate = rate;
  }

  #isInside(time: number): boolean {
    const { buffered } = this.#video;
    return Array.from({ length: buffered.length }, (_, index) => index).some(
      (index) => buffered.start(index) <= time && time < buffered.end(index) - 0.1,
    );
  }

  #fail(): void {
    if (!this.#aborter.signal.aborted) this.#onFailure();
  }
}

/** Fragments of sound name its track; the first message of a stream, which begins with `ftyp`, is never sound. */
function isSound(bytes: ArrayBuffer): boolean {
  const view = new DataView(bytes);
  const isFragment = view.byteLength > 48 && view.getUint32(4) === 0x6d6f6f66;
  return isFragment && view.getUint32(44) === soundTrackID;
}

function joined(parts: readonly ArrayBuffer[]): ArrayBuffer {
  const [only] = parts;
  if (only && parts.length === 1) return only;
  const whole = new Uint8Array(parts.reduce((sum, { byteLength }) => sum + byteLength, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(new Uint8Array(part), at);
    at += part.byteLength;
  }
  return whole.buffer;
}

import type { Layout } from './init-segment.ts';

/** One picture or frame of audio on its way into a file, with times in ticks of its track on the session's media time. */
export interface Sample {
  readonly decodeTime: number;
  readonly duration: number;
  /** When it is shown minus when it is decoded. */
  readonly compositionOffset: number;
  readonly keyFrame: boolean;
  readonly data: Buffer;
}

/** About a second of video, and the audio that came with it. */
export interface MediaFragment {
  /** The file that it can be a part of. A fragment with another one than the fragment before begins a new file. */
  readonly layout: Layout;
  /** Decoding can begin here. */
  readonly keyFrame: boolean;
  /** Microseconds of the session's media time: its first picture's decode time, and how long it lasts. */
  readonly startUs: number;
  readonly lengthUs: number;
  /** When its first picture in the order of sending is shown, in microseconds of media time. */
  readonly shownUs: number;
  readonly video: readonly Sample[];
  readonly audio: readonly Sample[];
  /** About what it takes in a file. */
  readonly bytes: number;
}

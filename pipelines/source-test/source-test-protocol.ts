import type { EndReason, VideoSource } from '../protocol/pipeline-protocol.ts';

/** The messages of the process that tests a source: plain data that travels over IPC. */

export interface SourceTestOrder {
  readonly source: VideoSource;
}

/** One stream of a source, as it was for a few seconds. */
export interface StreamOffer {
  /** All that the camera announces; none of a file or the test picture. */
  readonly tracks: {
    readonly kind: string;
    readonly codec: string;
    /** Ticks per second of its timestamps; of most audio, the sample rate. */
    readonly clockRate: number;
    /** Of audio. */
    readonly channels: number | null;
  }[];
  readonly video: {
    readonly codec: 'h264' | 'h265';
    readonly width: number;
    readonly height: number;
    /** Pictures per second, as measured; null when only one was seen. */
    readonly frameRate: number | null;
    /** Seconds from one key frame to the next; null when fewer than two were seen. */
    readonly keyFrameDistance: number | null;
    /** Whether pictures are sent in another order than shown. */
    readonly bFrames: boolean;
  };
  /** The codec of the first audio track. */
  readonly audio: string | null;
  /** The first picture, at most 640 pixels wide, as JPEG in base64; null when none could be decoded in time. */
  readonly picture: string | null;
}

/** `detail` is a sentence for people; it holds no credentials. */
export interface SourceTestFailure {
  readonly ok: false;
  readonly reason: EndReason;
  readonly detail: string;
}

export type StreamTestResult = { readonly ok: true; readonly offer: StreamOffer } | SourceTestFailure;

/** `ok` when every stream can be used. `reason` and `detail` are those of the first that cannot. */
export interface SourceTestReport {
  readonly ok: boolean;
  readonly reason?: EndReason;
  readonly detail?: string;
  readonly main?: StreamOffer;
  readonly sub?: StreamOffer;
}

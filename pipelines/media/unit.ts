import type { AudioConfig } from '../codecs/aac.ts';
import type { VideoConfig } from '../codecs/nal-unit.ts';

/** H.264's and H.265's clock over RTP: no time of a camera's is rounded. */
export const videoTicksPerSecond = 90_000;

/** One picture as it was encoded (an access unit). */
export interface VideoUnit {
  readonly config: VideoConfig;
  /** When it is shown, in ticks of `videoTicksPerSecond` on the session's media time. */
  readonly time: number;
  /** `performance.now()` when its first slice arrived; a picture may be complete only with the next one. */
  readonly arrivedMs: number;
  readonly keyFrame: boolean;
  /** NAL units, each after its length in four bytes. */
  readonly data: Buffer;
  /** These are the missing slices of the unit before. */
  readonly continues: boolean;
}

/** One frame of audio as it was encoded. */
export interface AudioUnit {
  readonly config: AudioConfig;
  /** In ticks of the sample rate on the session's media time. */
  readonly time: number;
  readonly data: Buffer;
}

import { toByteStream } from '../codecs/byte-stream.ts';
import type { VideoUnit } from '../media/unit.ts';

/** One picture as a decoder takes it. */
export interface DecoderUnit extends Pick<VideoUnit, 'time' | 'keyFrame' | 'continues'> {
  readonly codec: 'h264' | 'h265';
  /** NAL units with start codes before them; parameter sets before those of a key frame. */
  readonly data: Buffer;
}

export function decoderUnit({ config, time, keyFrame, continues, data }: VideoUnit): DecoderUnit {
  const { codec } = config;
  return { codec, time, keyFrame, continues, data: toByteStream(data, keyFrame ? config : undefined) };
}

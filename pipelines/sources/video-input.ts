import type { AudioConfig } from '../codecs/aac.ts';
import type { TimeJump } from '../media/time-line.ts';
import type { AudioUnit, VideoUnit } from '../media/unit.ts';
import type { PipelineEnd } from '../protocol/pipeline-protocol.ts';
import type { RtspTrack } from '../rtsp/protocol/sdp.ts';

/** Receives the events of a stream in the order of their arrival. */
export interface StreamHandlers {
  /** Everything that a camera announces, before anything comes. */
  onTracks?(tracks: readonly RtspTrack[]): void;
  /** The first packet of a camera has come, whatever is in it; a local source has begun. */
  onBegin?(): void;
  onVideo(unit: VideoUnit): void;
  onAudio(unit: AudioUnit): void;
  /** Audio of this kind is on its way; undefined when no more will come. */
  onAudioConfig?(config: AudioConfig | undefined): void;
  /** Only video was agreed upon. */
  onVideoOnly?(): void;
  onJump(jump: TimeJump): void;
}

/** Where encoded video comes from. */
export interface VideoInput {
  /** Plays until the end, whatever its cause. All that had arrived has been handed on when it resolves. */
  play(handlers: StreamHandlers): Promise<PipelineEnd>;
  /** Whether somebody waits for the pictures, as is taken for granted. Otherwise they may come a fifth of a second later. */
  setPrompt?(isPrompt: boolean): void;
  /** Although somebody waits for pictures, what comes in the next milliseconds may come after them. */
  rest?(ms: number): void;
  /** Makes `play` resolve with this end, if it has no other by then. */
  end(end: PipelineEnd): void;
}

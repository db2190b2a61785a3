import { setTimeout as sleep } from 'node:timers/promises';
import { stopDeadlinesMs } from '../../bus/children/stop-deadlines.ts';
import { splitByteStream } from '../codecs/byte-stream.ts';
import { readGdp } from '../gstreamer/gdp.ts';
import { Pipeline, type PipelineMessage } from '../gstreamer/gstreamer.ts';
import {
  describeSource,
  type LocalSource,
  type SourceDescription,
} from '../gstreamer/pipeline-description.ts';
import { AudioSync } from '../media/audio-sync.ts';
import { videoTicksPerSecond } from '../media/unit.ts';
import { VideoTrack } from '../media/video-track.ts';
import type { PipelineEnd } from '../protocol/pipeline-protocol.ts';
import { FileAudio } from './file-audio.ts';
import type { StreamHandlers, VideoInput } from './video-input.ts';

const silenceMs = 10_000;
const ticksPerNs = videoTicksPerSecond / 1e9;

/** A file, or GStreamer's own test picture, encoded by GStreamer. */
export class GstreamerSource implements VideoInput {
  readonly #kind: LocalSource['kind'];
  readonly #pipeline: Pipeline;
  readonly #description: SourceDescription;
  #resolve: (end: PipelineEnd) => void = () => {};
  readonly #cause = new Promise<PipelineEnd>((resolve) => {
    this.#resolve = resolve;
  });

  /** @throws {PipelineError} */
  constructor(source: LocalSource) {
    const description = describeSource(source);
    this.#kind = source.kind;
    this.#description = description;
    this.#pipeline = new Pipeline(description);
  }

  async play(handlers: StreamHandlers): Promise<PipelineEnd> {
    const pipeline = this.#pipeline;
    handlers.onBegin?.();
    pipeline.play((message) => {
      const end = endOf(message, this.#kind);
      if (end) this.end(end);
    });
    const sync = new AudioSync();
    const audio = this.#description.audioSinks.map((sink) => new FileAudio(sink, sync, handlers));
    let hasVideo = false;
    const hasOnlyAudio = () => !hasVideo && audio.some((each) => each.hasBegun);
    for (const each of audio) {
      void each.pull(pipeline).then(() => {
        if (hasOnlyAudio()) this.end(noVideo);
      });
    }
    const silence = setTimeout(
      () =>
        this.end(
          hasOnlyAudio() ? noVideo : { reason: 'silent', detail: `no video for ${silenceMs / 1000} s` },
        ),
      silenceMs,
    );
    const ended = Promise.race(
      this.#description.videoSinks.map(async (codec) => {
        const video = new VideoTrack({
          ...{ codec, ticksPerSecond: videoTicksPerSecond },
          onUnit: (unit) => handlers.onVideo(unit),
          onJump: (jump) => handlers.onJump(jump),
        });
        await pipeline.pull(codec, (packet) => {
          silence.refresh();
          hasVideo = true;
          const { data, timeNs = 0 } = readGdp(packet) ?? {};
          if (!data) return;
          const timestamp = Math.round(timeNs * ticksPerNs);
          video.pushPicture(splitByteStream(data), timestamp, performance.now());
          sync.report('video', video.mediaUs(timestamp), timeNs / 1000);
        });
        video.flush();
      }),
    );
    void ended.then(() => this.end(endOfStream[this.#kind]));
    const end = await this.#cause;
    clearTimeout(silence);
    pipeline.sendEnd();
    const drained = Promise.all([ended, ...audio.map((each) => each.ended)]);
    await Promise.race([drained, sleep(stopDeadlinesMs.streamDrain)]);
    pipeline.close();
    return end;
  }

  end(end: PipelineEnd): void {
    this.#resolve(end);
  }
}

const noVideo: PipelineEnd = {
  reason: 'no_video',
  detail: 'the file holds neither H.264 nor H.265 video',
};

const endOfStream: Readonly<Record<LocalSource['kind'], PipelineEnd>> = {
  file: { reason: 'finished', detail: 'the file has been played' },
  test: { reason: 'failed', detail: 'the test picture ended' },
};

/** @returns undefined for what ends nothing */
function endOf(message: PipelineMessage, kind: LocalSource['kind']): PipelineEnd | undefined {
  const { type, element, debug } = message;
  if (type === 'warning') return undefined;
  if (debug.includes('not-linked')) return noVideo;
  if (element !== 'source') return { reason: 'broken', detail: causeOf(message) };
  return { reason: kind === 'file' ? 'not_found' : 'failed', detail: causeOf(message) };
}

/** GStreamer's cause is the last line of its message for developers: `Failed to connect. (Generic error)`. */
function causeOf({ text, debug }: PipelineMessage): string {
  return debug.split('\n').slice(1).join(' ').trim() || text;
}

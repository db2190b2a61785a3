import type { AudioUnit, VideoUnit } from '../media/unit.ts';
import type { WallClock } from '../media/wall-clock.ts';
import { Fragmenter } from '../mp4/fragmenter.ts';
import type { Layout } from '../mp4/init-segment.ts';
import { Recorder, type RecorderOptions } from './recorder.ts';

export interface StreamRecordingOptions extends RecorderOptions {
  /** Has seen the pictures arrive before they are pushed. */
  readonly clock: WallClock;
}

/** The recording of one connection to one stream: its pictures and audio become fragments, and those become files. */
export class StreamRecording {
  readonly #recorder: Recorder;
  readonly #fragmenter: Fragmenter;
  /** When the last fragment ended, in microseconds of the monotonic clock. */
  #endTime = Number.NEGATIVE_INFINITY;

  constructor(options: StreamRecordingOptions) {
    const { clock, log, monitorID } = options;
    const recorder = new Recorder(options);
    this.#recorder = recorder;
    this.#fragmenter = new Fragmenter({
      onFragment: (fragment) => {
        const { shownUs, lengthUs } = fragment;
        const time = Math.max(this.#endTime, clock.monotonicUs(shownUs));
        this.#endTime = Math.max(time, clock.monotonicUs(shownUs + lengthUs));
        recorder.push({ ...fragment, time, endTime: this.#endTime });
      },
      onLayout: (layout, before) => {
        if (before) log.info(describeChange(layout, before), monitorID);
      },
    });
  }

  pushVideo(unit: VideoUnit): void {
    this.#fragmenter.pushVideo(unit);
  }

  pushAudio(unit: AudioUnit): void {
    this.#fragmenter.pushAudio(unit);
  }

  /** Files that begin from now on have audio of this kind, if it has not come yet; or none. */
  setAudioConfig(config: AudioUnit['config'] | undefined): void {
    this.#fragmenter.setAudioConfig(config);
  }

  expectNoAudio(): void {
    this.#fragmenter.expectNoAudio();
  }

  /** See {@link Recorder.recordUntil}. */
  recordUntil(until: number): void {
    this.#recorder.recordUntil(until);
  }

  /** Resolves when all that came is on disk. */
  end(): Promise<void> {
    this.#fragmenter.end();
    return this.#recorder.close();
  }
}

function describeChange(layout: Layout, before: Layout): string {
  return `the camera sends ${describeLayout(layout)} now, before it was ${describeLayout(before)}: a new recording begins`;
}

function describeLayout({ video, audio }: Layout): string {
  const codec = { h264: 'H.264', h265: 'H.265' }[video.codec];
  const sound = audio ? `with audio of ${audio.sampleRate} Hz` : 'without audio';
  return `${codec} of ${video.width}×${video.height} ${sound}`;
}

import type { AudioUnit, VideoUnit } from '../media/unit.ts';
import type { WallClock } from '../media/wall-clock.ts';
import { Fragmenter } from '../mp4/fragmenter.ts';
import type { Layout } from '../mp4/init-segment.ts';
import { Recorder, type RecorderOptions } from './recorder.ts';

/**
 * Milliseconds after its arrival at which a picture is written. Until it is read, it may have waited for a fifth of a second,
 * and the disk takes some time, so it is there within a second.
 */
const maxAgeMs = 700;
/** Where more comes within this time, nothing is written for what is there alone. */
const nextMs = 100;

export interface StreamRecordingOptions extends Omit<RecorderOptions, 'maxWaitMs'> {
  /** Has seen the pictures arrive before they are pushed. */
  readonly clock: WallClock;
}

/** The recording of one connection to one stream: its pictures and audio become fragments, and those become files. */
export class StreamRecording {
  readonly #recorder: Recorder;
  readonly #fragmenter: Fragmenter;
  /** When the last fragment ended, in microseconds of the monotonic clock. */
  #endTime = Number.NEGATIVE_INFINITY;
  /** When the oldest picture that is not being written yet arrived. */
  #oldestMs: number | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: StreamRecordingOptions) {
    const { clock, log, monitorID } = options;
    const recorder = new Recorder({ ...options, maxWaitMs: maxAgeMs });
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
    this.#oldestMs ??= unit.arrivedMs;
    this.#fragmenter.pushVideo(unit);
    if (!this.#recorder.isRecording) return;
    if (performance.now() - this.#oldestMs >= maxAgeMs - nextMs) this.#flush();
    else this.#timer ??= this.#wait(this.#oldestMs);
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
    clearTimeout(this.#timer);
    this.#fragmenter.end();
    return this.#recorder.close();
  }

  /** Puts what is there on the disk, but for the last picture, see {@link Fragmenter.cut}. */
  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (!this.#recorder.isRecording) return;
    this.#fragmenter.cut();
    this.#recorder.flush();
    this.#oldestMs = this.#fragmenter.heldSinceMs;
    if (this.#oldestMs !== undefined) this.#timer = this.#wait(this.#oldestMs);
  }

  #wait(sinceMs: number): NodeJS.Timeout {
    const leftMs = sinceMs + maxAgeMs - performance.now();
    return setTimeout(() => this.#flush(), Math.max(leftMs, nextMs));
  }
}

function describeChange(layout: Layout, before: Layout): string {
  const [now, then] = [describeLayout(layout), describeLayout(before)];
  const difference = now === then ? 'with other parameters than before' : `before it was ${then}`;
  return `the camera sends ${now} now, ${difference}: a new recording begins`;
}

function describeLayout({ video, audio }: Layout): string {
  const codec = { h264: 'H.264', h265: 'H.265' }[video.codec];
  const sound = audio ? `with audio of ${audio.sampleRate} Hz` : 'without audio';
  return `${codec} of ${video.width}×${video.height} ${sound}`;
}

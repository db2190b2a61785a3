import type { UnitsCommand } from '../bus/command-messages.ts';
import type { Log } from '../bus/log.ts';
import type { LivePacket } from '../bus/packets/live-packet.ts';
import type { UnitPacket } from '../bus/packets/unit-packet.ts';
import { UnitStream } from './frames/unit-stream.ts';
import { JumpLog } from './jump-log.ts';
import { LiveStream, type WantedLive } from './live/live-stream.ts';
import { type VideoUnit, videoTicksPerSecond } from './media/unit.ts';
import { WallClock } from './media/wall-clock.ts';
import type { PipelineEnd } from './protocol/pipeline-protocol.ts';
import { StreamRecording, type StreamRecordingOptions } from './recording/stream-recording.ts';
import type { VideoInput } from './sources/video-input.ts';
import { Troubles } from './troubles.ts';
import { VideoWatch } from './video-watch.ts';

export interface StreamConnectionOptions {
  readonly input: VideoInput;
  /** Undefined when the stream is not recorded. */
  readonly recording: Omit<StreamRecordingOptions, 'onTrouble' | 'clock'> | undefined;
  /** Gets the encoded pictures for detectors while they are wanted. */
  readonly onUnits: (packets: readonly UnitPacket[]) => void;
  /** Gets the pictures for viewers while it is watched. */
  readonly onLive: (packet: LivePacket) => void;
  /** Gets the faults that leave the stream running, and null when they are over. */
  readonly onTrouble: (text: string | null) => void;
  readonly log: Log;
  readonly monitorID: string;
}

/** A shorter rest spares nothing; a longer one would be a clock's mistake. */
const minRestMs = 5;
const maxRestMs = 200;

/** See {@link WantedUnits}; `trouble`: why they cannot be decoded. */
export type DetectedUnits = Omit<UnitsCommand, 'stream'>;

/** One connection to one stream: all that comes is recorded, and sent to detectors and viewers while they want it. */
export class StreamConnection {
  readonly #options: StreamConnectionOptions;
  readonly #clock = new WallClock();
  readonly #troubles: Troubles;
  readonly #watch: VideoWatch;
  readonly #jumps: JumpLog;
  readonly #recording: StreamRecording | undefined;
  readonly #units: UnitStream;
  readonly #live: LiveStream;
  #onStreaming: (() => void) | undefined;
  /** The first group of pictures has come: the first of them is on disk as soon as it can be. */
  #isSettled = false;
  /** Where it is on the line of time is known by the arrival of its first packet. */
  #awaitsAudio: boolean;
  #isDetected = false;
  #isWatched = false;

  constructor(options: StreamConnectionOptions) {
    const { input, recording, log, monitorID } = options;
    const clock = this.#clock;
    this.#options = options;
    this.#awaitsAudio = recording !== undefined;
    this.#troubles = new Troubles(options.onTrouble);
    this.#jumps = new JumpLog((text) => log.warning(text, monitorID));
    this.#watch = new VideoWatch({
      onNothing: (detail) => input.end({ reason: 'broken', detail }),
      onTrouble: (text) => this.#troubles.set('video', text),
    });
    this.#live = new LiveStream({ clock, onPacket: options.onLive });
    this.#units = new UnitStream({ clock, onUnits: options.onUnits });
    if (recording) {
      const onTrouble = (text: string | null) => this.#troubles.set('recorder', text);
      this.#recording = new StreamRecording({ ...recording, clock, onTrouble });
    }
  }

  /**
   * Plays until the end, by itself or by `end`.
   *
   * @param onStreaming is called with the first key frame.
   */
  async play(onStreaming: () => void): Promise<PipelineEnd> {
    this.#onStreaming = onStreaming;
    const end = await this.#options.input.play({
      onBegin: () => this.#watch.begin(),
      onVideo: (unit) => this.#takeVideo(unit),
      onAudio: (unit) => {
        this.#awaitsAudio = false;
        this.#live.pushAudio(unit);
        this.#recording?.pushAudio(unit);
      },
      onVideoOnly: () => {
        this.#awaitsAudio = false;
        this.#recording?.expectNoAudio();
      },
      onAudioConfig: (config) => {
        this.#live.setAudioConfig(config);
        this.#recording?.setAudioConfig(config);
      },
      onJump: (jump) => {
        if (this.#recording) this.#jumps.add(jump);
      },
    });
    this.#watch.close();
    this.#jumps.close();
    this.#units.close();
    this.#live.close();
    return end;
  }

  /** To be called after the end. Resolves when all that came is on disk. */
  async finish(): Promise<void> {
    await this.#recording?.end();
    this.#troubles.clear();
  }

  end(end: PipelineEnd): void {
    this.#options.input.end(end);
  }

  /** Sends its pictures to detectors. See {@link UnitStream.want}. */
  detect({ trouble, ...wanted }: DetectedUnits): void {
    this.#isDetected = true;
    this.#setPrompt();
    this.#troubles.set('frames', trouble);
    this.#units.want(wanted);
  }

  undetect(): void {
    this.#isDetected = false;
    this.#setPrompt();
    this.#troubles.set('frames', null);
    this.#units.unwant();
  }

  /** See {@link LiveStream.watch}. */
  watch(wanted: WantedLive): void {
    this.#isWatched = true;
    this.#setPrompt();
    this.#live.watch(wanted);
  }

  unwatch(): void {
    this.#isWatched = false;
    this.#setPrompt();
    this.#live.unwatch();
  }

  /** @param until Unix time in microseconds */
  recordUntil(until: number): void {
    this.#clock.look();
    this.#recording?.recordUntil(until);
  }

  #takeVideo(unit: VideoUnit): void {
    this.#watch.take(unit);
    if (unit.keyFrame && this.#onStreaming) {
      this.#onStreaming();
      this.#onStreaming = undefined;
    } else if (unit.keyFrame && !this.#isSettled && !this.#awaitsAudio) {
      this.#isSettled = true;
      this.#setPrompt();
    }
    if (!unit.continues) this.#clock.observe((unit.time * 1e6) / videoTicksPerSecond, unit.arrivedMs);
    this.#live.push(unit);
    this.#recording?.pushVideo(unit);
    this.#units.push(unit);
    this.#rest();
  }

  /** Until the next picture can come that a detector waits for, what comes need not wake this process. */
  #rest(): void {
    const { nextDueUs } = this.#units;
    if (nextDueUs === undefined || this.#isWatched || !this.#isSettled) return;
    const dueMs = (this.#clock.at(nextDueUs) - this.#clock.offsetUs) / 1000;
    const restMs = dueMs - performance.now();
    if (restMs >= minRestMs) this.#options.input.rest?.(Math.min(restMs, maxRestMs));
  }

  /** Recording alone waits for nothing. */
  #setPrompt(): void {
    this.#options.input.setPrompt?.(this.#isDetected || this.#isWatched || !this.#isSettled);
  }
}

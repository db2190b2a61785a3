import { setTimeout as sleep } from 'node:timers/promises';
import { stopDeadlinesMs } from '../bus/base/stop-deadlines.ts';
import type { FrameFormat } from '../bus/messages.ts';
import { endOf, endOfSilence, endOfStream, noVideo } from './end-reason.ts';
import { Pipeline, type PipelineMessage } from './gstreamer.ts';
import { type PipelineDescription, valveOf } from './pipeline-description.ts';
import type { PipelineEnd, VideoSource } from './pipeline-protocol.ts';

const connectDeadlineMs = 10_000;
const silenceDeadlineMs = 5000;
const checkIntervalMs = 500;
/** Fragments come each second, and pictures more often. Without them for this long, packets are looked at. */
const doubtAfterMs = 2000;

export type Sinks = Readonly<Record<string, (data: Buffer) => void>>;

/** One playing pipeline, and the watch over it: a camera that is gone often shows by nothing but silence. */
export class StreamConnection {
  readonly #pipeline: Pipeline;
  readonly #kind: VideoSource['kind'];
  readonly #formats: readonly FrameFormat[];
  #resolve: (end: PipelineEnd) => void = () => {};
  readonly #cause = new Promise<PipelineEnd>((resolve) => {
    this.#resolve = resolve;
  });
  #agreed = false;
  #streaming = false;
  /** Of the monotonic clock: the other one can be set. */
  #lastArrival = performance.now();
  /** The last packet as the silence began to look like one. */
  #doubtedPacket: string | undefined;
  /** Fragments come all the time, pictures while a valve is open. */
  #fragments = false;
  #open = false;

  /** @throws {PipelineError} */
  constructor(description: PipelineDescription, kind: VideoSource['kind']) {
    this.#pipeline = new Pipeline(description);
    this.#kind = kind;
    this.#formats = description.formats;
  }

  /**
   * Plays until the end, whatever its cause, and resolves when all that had arrived has been handed to the sinks.
   *
   * @param drain the sink whose end is the end of the stream.
   */
  async play(sinks: Sinks, drain?: string): Promise<PipelineEnd> {
    const pipeline = this.#pipeline;
    this.#lastArrival = performance.now();
    this.#fragments = drain !== undefined;
    pipeline.play((message) => this.#hear(message));
    const watch = setInterval(() => this.#check(), checkIntervalMs);
    const ends = Object.entries(sinks).map(([name, listener]) => {
      const ended = pipeline.pull(name, (data) => {
        this.#arrive();
        listener(data);
      });
      return { name, ended };
    });
    const drained = ends.find(({ name }) => name === drain)?.ended;
    void drained?.then(() => this.#resolve(endOfStream[this.#kind]));

    const end = await this.#cause;
    clearInterval(watch);
    if (drained) {
      pipeline.sendEnd();
      await Promise.race([drained, sleep(stopDeadlinesMs.streamDrain)]);
    }
    pipeline.close();
    await Promise.race([Promise.all(ends.map(({ ended }) => ended)), sleep(stopDeadlinesMs.sinkDrain)]);
    return end;
  }

  /** Makes `play` resolve with this end, if it has no other by then. */
  end(end: PipelineEnd): void {
    this.#resolve(end);
  }

  /** Lets these pictures be made, and no others. */
  setValves(wanted: ReadonlySet<FrameFormat>): void {
    const formats = this.#formats;
    this.#open = formats.some((format) => wanted.has(format));
    if (formats.length > 1) {
      for (const format of formats) this.#pipeline.set(valveOf(format), 'drop', !wanted.has(format));
    }
    if (formats.length > 0) this.#pipeline.set('valve', 'drop', !this.#open);
  }

  #hear(message: PipelineMessage): void {
    if (message.type === 'playing') {
      this.#agreed = true;
      return;
    }
    const end = endOf(message, this.#kind, this.#streaming);
    if (end) this.#resolve(end);
    else if (message.debug.includes('named depay')) void this.#nameOther();
  }

  /** All streams of the camera are known, and none is H.264. What the other one is shows with its first packet. */
  async #nameOther(): Promise<void> {
    await sleep(checkIntervalMs);
    this.#resolve(noVideo(this.#kind, String(this.#pipeline.get('other', 'caps'))));
  }

  #arrive(): void {
    this.#streaming = true;
    this.#lastArrival = performance.now();
    this.#doubtedPacket = undefined;
  }

  #check(): void {
    const now = performance.now();
    // Silence is no trouble where nothing is made of what comes.
    if (!this.#fragments && !this.#open) this.#lastArrival = now;
    const silence = now - this.#lastArrival;
    if (silence < doubtAfterMs) return;
    // A slow camera, or a decoder that waits for its key frame: packets count as well as what is made of them.
    this.#doubtedPacket ??= this.#readPacket();
    if (silence < (this.#streaming ? silenceDeadlineMs : connectDeadlineMs)) return;
    if (this.#readPacket() !== this.#doubtedPacket) this.#arrive();
    else this.#resolve(endOfSilence({ agreed: this.#agreed, streaming: this.#streaming }));
  }

  /** The addon leaks what it reads here, more than a kilobyte each time: only silence is worth that. */
  #readPacket(): string {
    if (this.#kind !== 'rtsp') return '';
    return /seqnum=\(uint\)\d+/.exec(String(this.#pipeline.get('depay', 'stats')))?.[0] ?? '';
  }
}

import { setTimeout as sleep } from 'node:timers/promises';
import { nowUs } from '../bus/base/time.ts';
import { stopDeadlinesMs } from '../bus/children/stop-deadlines.ts';
import type { Frame } from '../bus/frames.ts';
import { leases } from '../bus/leases.ts';
import type { Log } from '../bus/log.ts';
import type { FrameFormat, RecordingReport } from '../bus/messages.ts';
import { DecodedStream } from './decoded-stream.ts';
import { FrameDecoder } from './frames/frame-decoder.ts';
import { FrameLease } from './frames/frame-lease.ts';
import type { FrameRates } from './gstreamer/pipeline-description.ts';
import { JumpLog } from './jump-log.ts';
import { MediaClock } from './media/media-clock.ts';
import { type VideoUnit, videoTicksPerSecond } from './media/unit.ts';
import { Fragmenter } from './mp4/fragmenter.ts';
import type { Layout } from './mp4/init-segment.ts';
import type { MediaFragment } from './mp4/media-fragment.ts';
import { patienceAfter } from './protocol/patience.ts';
import type { PipelineEnd, PipelineReport, PipelineSession } from './protocol/pipeline-protocol.ts';
import { Recorder } from './recording/recorder.ts';
import { GstreamerSource } from './sources/gstreamer-source.ts';
import { RtspSource } from './sources/rtsp-source.ts';
import type { VideoInput } from './sources/video-input.ts';
import { SubStream } from './sub-stream.ts';
import { VideoWatch } from './video-watch.ts';

export interface StreamSessionOptions {
  readonly session: PipelineSession;
  readonly monitorLog: Log;
  readonly recorderLog: Log;
  readonly onReport: (report: PipelineReport) => void;
  readonly onRecordingReport: (report: RecordingReport) => void;
  readonly onFrame: (frame: Frame) => void;
}

/** One session: plays the camera, records what is to be recorded, and makes pictures while somebody wants them. */
export class StreamSession {
  readonly #options: StreamSessionOptions;
  readonly #main: VideoInput;
  readonly #sub: SubStream | undefined;
  readonly #recorder: Recorder;
  readonly #fragmenter: Fragmenter;
  readonly #decoder: FrameDecoder | undefined;
  readonly #watch: VideoWatch;
  readonly #leases: ReadonlyMap<FrameFormat, FrameLease>;
  readonly #jumps = new JumpLog((text) =>
    this.#options.monitorLog.warning(text, this.#options.session.monitorID),
  );
  readonly #clock = new MediaClock();
  readonly #troubles = new Map<string, string>();
  #isStreaming = false;

  /** @throws {RtspAddressError} @throws {PipelineError} */
  constructor(options: StreamSessionOptions) {
    const { session, recorderLog, onReport, onRecordingReport, onFrame } = options;
    const { monitorID, recordingsDir, alwaysRecord, videoLength, source } = session;
    this.#options = options;
    this.#main =
      source.kind === 'rtsp'
        ? this.#rtsp(source.main, true, session.patienceMs)
        : new GstreamerSource(source);
    this.#recorder = new Recorder({
      monitorID,
      stream: 'main',
      recordingsDir,
      alwaysRecord,
      videoLength,
      log: recorderLog,
      onReport: onRecordingReport,
      onRecording: (file) => onReport({ type: 'recording', file }),
      onTrouble: (text) => this.#reportTrouble('recorder', text),
    });
    this.#fragmenter = new Fragmenter({
      onFragment: (fragment) => this.#takeFragment(fragment),
      onLayout: (layout, before) => this.#logLayout(layout, before),
    });
    this.#watch = new VideoWatch({
      onNothing: (detail) => this.#main.end({ reason: 'broken', detail }),
      onTrouble: (text) => this.#reportTrouble('video', text),
    });
    const { main, sub } = divide(session);
    this.#decoder =
      main.length === 0
        ? undefined
        : new FrameDecoder({
            ...{ rates: main, clock: this.#clock, onFrame },
            onFailure: (detail) => options.monitorLog.error(`frames cannot be decoded: ${detail}`, monitorID),
          });
    this.#sub = sub && this.#subStream(sub.url, sub.rates);
    this.#leases = new Map(
      [...main, ...(sub?.rates ?? [])].map(([format]) => [
        format,
        new FrameLease(leases.frames.expireMs, () => this.#setWanted()),
      ]),
    );
  }

  /** Resolves when the session has ended, by itself or by `stop`, and its last recording is on disk. */
  async run(): Promise<PipelineEnd> {
    const end = await this.#main.play({
      onVideo: (unit) => this.#takeVideo(unit),
      onAudio: (unit) => this.#fragmenter.pushAudio(unit),
      onJump: (jump) => this.#jumps.add(jump),
    });
    this.#watch.close();
    this.#jumps.close();
    this.#fragmenter.end();
    for (const lease of this.#leases.values()) lease.end();
    this.#sub?.close();
    this.#decoder?.close();
    await Promise.race([this.#recorder.close(), sleep(stopDeadlinesMs.recordingFile)]);
    return end;
  }

  stop(): void {
    this.#main.end({ reason: 'stopped', detail: '' });
  }

  /** @param until Unix time in microseconds */
  record(until: number): void {
    this.#recorder.recordUntil(until);
  }

  /** Makes frames for as long as the lease of frames lasts. @throws when the session makes no frames of this format. */
  wantFrames(format: FrameFormat): void {
    const lease = this.#leases.get(format);
    if (!lease) throw new Error(`this monitor has no ${format} frames`);
    lease.renew();
  }

  #rtsp(url: string, audio: boolean, patienceMs: number): RtspSource {
    const { session, monitorLog } = this.#options;
    const { source, monitorID } = session;
    const transport = source.kind === 'rtsp' ? source.protocol : 'tcp';
    return new RtspSource({ url, transport, audio, patienceMs, log: monitorLog, monitorID });
  }

  #subStream(url: string, rates: FrameRates): SubStream {
    const { session, monitorLog, onFrame } = this.#options;
    return new SubStream({
      formats: rates.map(([format]) => format),
      open: (failures) =>
        new DecodedStream({ source: this.#rtsp(url, false, patienceAfter(failures)), rates, onFrame }),
      monitorID: session.monitorID,
      log: monitorLog,
      random: Math.random,
      onTrouble: (text) => this.#reportTrouble('sub', text),
    });
  }

  #reportTrouble(where: string, text: string | null): void {
    if (text === null) this.#troubles.delete(where);
    else this.#troubles.set(where, text);
    this.#options.onReport({ type: 'trouble', text: [...this.#troubles.values()].join('; ') || null });
  }

  #setWanted(): void {
    const held = [...this.#leases].filter(([, lease]) => lease.held).map(([format]) => format);
    this.#decoder?.setWanted(new Set(held));
    // One wrong password is one login: the sub stream comes once the main stream's was right.
    if (this.#isStreaming) this.#sub?.setValves(new Set(held));
  }

  #takeVideo(unit: VideoUnit): void {
    this.#watch.take(unit);
    if (!this.#isStreaming && unit.keyFrame) {
      this.#isStreaming = true;
      this.#setWanted();
      this.#options.onReport({ type: 'streaming' });
    }
    if (!unit.continues) this.#clock.observe((unit.time * 1e6) / videoTicksPerSecond, nowUs());
    this.#fragmenter.pushVideo(unit);
    this.#decoder?.push(unit);
  }

  #takeFragment(fragment: MediaFragment): void {
    this.#recorder.push({ ...fragment, time: this.#clock.at(fragment.shownUs) });
  }

  #logLayout(layout: Layout, before: Layout | undefined): void {
    if (!before) return;
    const { monitorLog, session } = this.#options;
    const text = `the camera sends ${describeLayout(layout)} now, before it was ${describeLayout(before)}: a new recording begins`;
    monitorLog.info(text, session.monitorID);
  }
}

/** Which pictures are made of the main stream, and which of the sub stream. */
function divide({ source, frames }: PipelineSession): {
  readonly main: FrameRates;
  readonly sub?: { readonly url: string; readonly rates: FrameRates };
} {
  const { gray, rgb } = frames;
  const all: FrameRates = [
    ...(gray ? [['gray', gray.rate] as const] : []),
    ...(rgb ? [['rgb', rgb.rate] as const] : []),
  ];
  const url = source.kind === 'rtsp' ? source.sub : undefined;
  if (url === undefined) return { main: all };
  const isMain = ([format]: FrameRates[number]) => format === 'rgb' && rgb?.main === true;
  const rates = all.filter((one) => !isMain(one));
  return { main: all.filter(isMain), ...(rates.length > 0 && { sub: { url, rates } }) };
}

function describeLayout({ video, audio }: Layout): string {
  const codec = { h264: 'H.264', h265: 'H.265' }[video.codec];
  const sound = audio ? `with audio of ${audio.sampleRate} Hz` : 'without audio';
  return `${codec} of ${video.width}×${video.height} ${sound}`;
}

import { setTimeout as sleep } from 'node:timers/promises';
import { stopDeadlinesMs } from '../bus/base/stop-deadlines.ts';
import { nowUs } from '../bus/base/time.ts';
import type { Frame } from '../bus/frames.ts';
import { leases } from '../bus/leases.ts';
import type { Log } from '../bus/log.ts';
import type { FrameFormat, RecordingReport } from '../bus/messages.ts';
import { FrameLease } from './frames/frame-lease.ts';
import { FrameReader } from './frames/frame-reader.ts';
import { MediaClock } from './media/media-clock.ts';
import { type Fragment, FragmentReader } from './mp4/fragment-reader.ts';
import {
  describePipelines,
  type PipelineDescription,
  type PipelineDescriptions,
} from './pipeline-description.ts';
import type { PipelineEnd, PipelineReport, PipelineSession } from './pipeline-protocol.ts';
import { Recorder } from './recording/recorder.ts';
import { type Sinks, StreamConnection } from './stream-connection.ts';
import { SubStream } from './sub-stream.ts';

/** Packets come, but no video can be made of them. Before the first key frame that is so for a while. */
const fragmentDeadlineMs = 60_000;

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
  readonly #main: StreamConnection;
  readonly #sub: SubStream | undefined;
  readonly #recorder: Recorder;
  readonly #leases: ReadonlyMap<FrameFormat, FrameLease>;
  readonly #clock = new MediaClock();
  readonly #reader: FragmentReader;
  readonly #descriptions: PipelineDescriptions;
  readonly #troubles = new Map<'recorder' | 'sub', string>();
  #timescale = 1;
  /** The camera has accepted the login of the main stream. */
  #accepted = false;
  #fragmentTimer: NodeJS.Timeout | undefined;

  /** @throws {SourceError} @throws {PipelineError} */
  constructor(options: StreamSessionOptions) {
    const { session, monitorLog, recorderLog, onReport, onRecordingReport } = options;
    const { monitorID, recordingsDir, alwaysRecord, videoLength } = session;
    this.#options = options;
    this.#descriptions = describePipelines(session);
    this.#main = new StreamConnection(this.#descriptions.main, session.source.kind);
    this.#recorder = new Recorder({
      monitorID,
      recordingsDir,
      alwaysRecord,
      videoLength,
      log: recorderLog,
      onReport: onRecordingReport,
      onRecording: (file) => onReport({ type: 'recording', file }),
      onTrouble: (text) => this.#tellTrouble('recorder', text),
    });
    this.#reader = new FragmentReader({
      onInit: (init) => {
        this.#timescale = init.timescale;
        this.#recorder.setInit(init);
        this.#accepted = true;
        this.#setValves();
        onReport({ type: 'streaming' });
      },
      onFragment: (fragment) => this.#takeFragment(fragment),
    });
    const { sub } = this.#descriptions;
    this.#sub =
      sub &&
      new SubStream({
        formats: sub.formats,
        open: () => new StreamConnection(sub, 'rtsp'),
        monitorID,
        log: monitorLog,
        receivers: () => this.#receivers(sub),
        onTrouble: (text) => this.#tellTrouble('sub', text),
      });
    const { main } = this.#descriptions;
    this.#leases = new Map(
      [...main.formats, ...(sub?.formats ?? [])].map((format) => [
        format,
        new FrameLease(leases.frames.expireMs, () => this.#setValves()),
      ]),
    );
  }

  /** Resolves when the session has ended, by itself or by `stop`, and its last recording is on disk. */
  async run(): Promise<PipelineEnd> {
    this.#expectFragment();
    const end = await this.#main.play(
      { fragments: (data) => this.#takeData(data), ...this.#receivers(this.#descriptions.main) },
      'fragments',
    );
    clearTimeout(this.#fragmentTimer);
    for (const lease of this.#leases.values()) lease.end();
    this.#sub?.close();
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

  /** Makes frames for as long as the lease of frames lasts. @throws when the session was not told to. */
  wantFrames(format: FrameFormat): void {
    const lease = this.#leases.get(format);
    if (!lease) throw new Error(`this monitor has no ${format} frames`);
    lease.renew();
  }

  #tellTrouble(where: 'recorder' | 'sub', text: string | null): void {
    if (text === null) this.#troubles.delete(where);
    else this.#troubles.set(where, text);
    this.#options.onReport({ type: 'trouble', text: [...this.#troubles.values()].join('; ') || null });
  }

  #setValves(): void {
    const held = [...this.#leases].filter(([, lease]) => lease.held).map(([format]) => format);
    this.#main.setValves(new Set(held));
    // One wrong password is one login: the sub stream comes once the main stream's was right.
    if (this.#accepted) this.#sub?.setValves(new Set(held));
  }

  #takeData(data: Buffer): void {
    try {
      this.#reader.push(data);
    } catch (error) {
      this.#main.end({ reason: 'broken', detail: (error as Error).message });
    }
  }

  #takeFragment(fragment: Fragment): void {
    const microseconds = 1e6 / this.#timescale;
    const [start, length] = [fragment.start * microseconds, fragment.duration * microseconds];
    this.#expectFragment();
    this.#clock.observe(start + length, nowUs());
    this.#recorder.push({ ...fragment, time: this.#clock.at(start), length });
  }

  #expectFragment(): void {
    clearTimeout(this.#fragmentTimer);
    this.#fragmentTimer = setTimeout(
      () => this.#main.end({ reason: 'broken', detail: 'what comes is no video: no key frame for 60 s' }),
      fragmentDeadlineMs,
    );
  }

  #receivers({ formats }: PipelineDescription): Sinks {
    const { session, onFrame } = this.#options;
    const sinks = formats.map((format) => {
      const reader = new FrameReader(session.frames[format]?.rate ?? 0, format);
      const receive = (packet: Buffer) => {
        const frame = reader.read(packet, nowUs());
        if (frame) onFrame(frame);
      };
      return [format, receive] as const;
    });
    return Object.fromEntries(sinks);
  }
}

import { setTimeout as sleep } from 'node:timers/promises';
import { stopDeadlinesMs } from '../bus/children/stop-deadlines.ts';
import { leases } from '../bus/leases.ts';
import { type Log, rewordedLog } from '../bus/log.ts';
import type { RecordingReport } from '../bus/messages.ts';
import type { LivePacket } from '../bus/packets/live-packet.ts';
import type { UnitPacket } from '../bus/packets/unit-packet.ts';
import type { RecordedStream } from '../bus/recording-id.ts';
import { FrameLease } from './frames/frame-lease.ts';
import type { WantedLive } from './live/live-stream.ts';
import { patienceAfter } from './protocol/patience.ts';
import type { PipelineEnd, PipelineReport, PipelineSession } from './protocol/pipeline-protocol.ts';
import { GstreamerSource } from './sources/gstreamer-source.ts';
import { RtspSource } from './sources/rtsp-source.ts';
import type { VideoInput } from './sources/video-input.ts';
import { type DetectedUnits, StreamConnection } from './stream-connection.ts';
import { SubStream } from './sub-stream.ts';
import { Troubles } from './troubles.ts';

export interface StreamSessionOptions {
  readonly session: PipelineSession;
  readonly monitorLog: Log;
  readonly recorderLog: Log;
  readonly onReport: (report: PipelineReport) => void;
  readonly onRecordingReport: (report: RecordingReport) => void;
  readonly onUnits: (stream: RecordedStream, packets: readonly UnitPacket[]) => void;
  readonly onLive: (stream: RecordedStream, packet: LivePacket) => void;
}

/** Texts about the sub stream say so; those about the main stream need not. */
const worded = (stream: RecordedStream) => (text: string) =>
  stream === 'main' ? text : `sub stream: ${text}`;

/** One session: the main stream from its connection to its end, and the sub stream beside it. */
export class StreamSession {
  readonly #options: StreamSessionOptions;
  readonly #main: StreamConnection;
  readonly #sub: SubStream | undefined;
  readonly #detection: Readonly<Record<RecordedStream, FrameLease>>;
  readonly #viewing: Readonly<Record<RecordedStream, FrameLease>>;
  readonly #troubles: Troubles;

  /** @throws {RtspAddressError} @throws {PipelineError} */
  constructor(options: StreamSessionOptions) {
    const { session, onReport } = options;
    this.#options = options;
    this.#troubles = new Troubles((text) => onReport({ type: 'trouble', text }));
    this.#main = this.#open('main', session.patienceMs);
    this.#sub = this.#subStream();
    const detection = (stream: RecordedStream) =>
      new FrameLease(leases.frames.expireMs, (held) => {
        if (!held) this.#stream(stream)?.undetect();
      });
    this.#detection = { main: detection('main'), sub: detection('sub') };
    const viewing = (stream: RecordedStream) =>
      new FrameLease(leases.live.expireMs, (held) => {
        if (!held) this.#stream(stream)?.unwatch();
      });
    this.#viewing = { main: viewing('main'), sub: viewing('sub') };
  }

  /** Resolves when the session has ended, by itself or by `stop`, and its last recordings are on disk. */
  async run(): Promise<PipelineEnd> {
    const end = await this.#main.play(() => {
      this.#sub?.begin();
      this.#options.onReport({ type: 'streaming' });
    });
    for (const lease of [...Object.values(this.#detection), ...Object.values(this.#viewing)]) lease.end();
    const finished = Promise.all([this.#main.finish(), this.#sub?.close()]);
    await Promise.race([finished, sleep(stopDeadlinesMs.recordingFile)]);
    return end;
  }

  stop(): void {
    this.#main.end({ reason: 'stopped', detail: '' });
  }

  /** @param until Unix time in microseconds */
  record(until: number): void {
    this.#main.recordUntil(until);
    this.#sub?.recordUntil(until);
  }

  /**
   * Publishes the encoded pictures of a stream for as long as the lease of frames lasts.
   *
   * @throws when the monitor has no such stream.
   */
  detect(stream: RecordedStream, wanted: DetectedUnits): void {
    const detected = this.#existing(stream);
    this.#detection[stream].renew();
    detected.detect(wanted);
  }

  /**
   * Publishes the pictures of a stream for as long as the lease of viewers lasts.
   *
   * @throws when the monitor has no such stream.
   */
  watch(stream: RecordedStream, wanted: WantedLive): void {
    const watched = this.#existing(stream);
    this.#viewing[stream].renew();
    watched.watch(wanted);
  }

  #stream(stream: RecordedStream): StreamConnection | SubStream | undefined {
    return stream === 'main' ? this.#main : this.#sub;
  }

  /** @throws when the monitor has no such stream. */
  #existing(stream: RecordedStream): StreamConnection | SubStream {
    const found = this.#stream(stream);
    if (!found) throw new Error('this monitor has no sub stream');
    return found;
  }

  #open(stream: RecordedStream, patienceMs: number): StreamConnection {
    const { session, monitorLog, recorderLog, onUnits, onLive, onReport, onRecordingReport } = this.#options;
    const { monitorID, recordingsDir, alwaysRecord, videoLength, eventsLateMs } = session;
    const isMain = stream === 'main';
    const reword = worded(stream);
    return new StreamConnection({
      input: this.#input(stream, patienceMs),
      recording:
        isMain || session.recordSubStream
          ? {
              ...{ monitorID, stream, recordingsDir, alwaysRecord, videoLength, eventsLateMs },
              log: rewordedLog(recorderLog, reword),
              onReport: onRecordingReport,
              onRecording: (file) => isMain && onReport({ type: 'recording', file }),
            }
          : undefined,
      monitorID,
      onUnits: (packets) => onUnits(stream, packets),
      onLive: (packet) => onLive(stream, packet),
      log: rewordedLog(monitorLog, reword),
      onTrouble: (text) => this.#troubles.set(stream, text && reword(text)),
    });
  }

  #input(stream: RecordedStream, patienceMs: number): VideoInput {
    const { session, monitorLog } = this.#options;
    const { source, monitorID, recordSubStream } = session;
    if (source.kind !== 'rtsp') return new GstreamerSource(source);
    const isMain = stream === 'main';
    return new RtspSource({
      url: isMain ? source.main : (source.sub ?? ''),
      transport: source.protocol,
      audio: isMain || recordSubStream,
      ...{ patienceMs, monitorID },
      log: rewordedLog(monitorLog, worded(stream)),
    });
  }

  /** Undefined where there is none. */
  #subStream(): SubStream | undefined {
    const { session, monitorLog } = this.#options;
    const { source, recordSubStream, isSubDetected, maxPatienceMs, monitorID } = session;
    if (source.kind !== 'rtsp' || source.sub === undefined) return undefined;
    const reword = worded('sub');
    return new SubStream({
      isDetected: isSubDetected,
      isRecorded: recordSubStream,
      open: (failures) => this.#open('sub', patienceAfter(failures, maxPatienceMs)),
      monitorID,
      log: rewordedLog(monitorLog, reword),
      random: Math.random,
      onTrouble: (text) => this.#troubles.set('sub connection', text && reword(text)),
    });
  }
}

import { stopDeadlinesMs } from '../../bus/children/stop-deadlines.ts';
import { rewordedLog } from '../../bus/log.ts';
import type { Bus } from '../../bus/nats/bus.ts';
import { commands, liveSubject, recordings, unitSubject } from '../../bus/subjects.ts';
import type { PipelineEnd, PipelineReport, PipelineSession } from '../protocol/pipeline-protocol.ts';
import { redactor } from '../redactor.ts';
import { StreamSession } from '../stream-session.ts';
import type { HostBus } from './host-bus.ts';

export interface HostedSessionOptions {
  readonly session: PipelineSession;
  readonly host: HostBus;
  /** Gets all but the end. */
  readonly onReport: (report: PipelineReport) => void;
}

/**
 * One session among those of its process: its streams, its commands on the bus, and what it says, without its credentials.
 * What goes wrong in it ends it alone.
 */
export class HostedSession {
  /** Masks the secrets of this session's addresses in a text. */
  readonly redact: (text: string) => string;
  readonly #options: HostedSessionOptions;
  readonly #forget: (() => void)[] = [];
  #streams: StreamSession | undefined;
  #bus: Bus | undefined;
  #failure: PipelineEnd | undefined;
  #isOver = false;
  #deadline: NodeJS.Timeout | undefined;
  #giveUp: () => void = () => {};

  constructor(options: HostedSessionOptions) {
    this.#options = options;
    this.redact = redactor(options.session.source);
  }

  /**
   * Resolves when the session has ended, by itself or by `stop`, and its last recordings are on disk; or when it hangs: it has
   * not ended in time. Never rejects.
   */
  async run(): Promise<{ readonly end: PipelineEnd; readonly hangs: boolean }> {
    const hanging = new Promise<undefined>((resolve) => {
      this.#giveUp = () => resolve(undefined);
    });
    const ended = await Promise.race([this.#play(), hanging]);
    this.#isOver = true;
    clearTimeout(this.#deadline);
    for (const forget of this.#forget.splice(0)) forget();
    const { reason, detail } = this.#failure ?? ended ?? { reason: 'stopped', detail: '' };
    return { end: { reason, detail: this.redact(detail) }, hangs: ended === undefined };
  }

  stop(): void {
    this.#deadline ??= setTimeout(() => this.#giveUp(), stopDeadlinesMs.session);
    this.#streams?.stop();
  }

  async #play(): Promise<PipelineEnd> {
    const { session, host } = this.#options;
    const { monitorID } = session;
    const log = (source: string) => rewordedLog(host.logger.source(source), this.redact);
    try {
      this.#streams = new StreamSession({
        session,
        monitorLog: log('monitor'),
        recorderLog: log('recorder'),
        onReport: (report) => this.#report(report),
        onRecordingReport: (report) => host.reports.add(recordings, [report.monitorID], report),
        onUnits: (stream, packets) => this.#bus?.publishUnits(unitSubject(monitorID, stream), packets),
        onLive: (stream, packet) => this.#bus?.publishLive(liveSubject(monitorID, stream), packet),
      });
      this.#attach(this.#streams).catch((error: Error) => this.#fail(error));
      return await this.#streams.run();
    } catch (error) {
      return failed(error as Error);
    }
  }

  /** Commands, from when the bus can be reached. */
  async #attach(streams: StreamSession): Promise<void> {
    const { session, host } = this.#options;
    const own = [session.monitorID] as const;
    const bus = await host.connect(session);
    if (this.#isOver) return;
    this.#bus = bus;
    this.#forget.push(
      bus.respond(commands.record, own, ({ until }) => streams.record(until)),
      bus.respond(commands.units, own, ({ stream, ...wanted }) => streams.detect(stream, wanted)),
      bus.respond(commands.live, own, ({ stream, ...wanted }) => streams.watch(stream, wanted)),
    );
  }

  #fail(error: Error): void {
    this.#failure = failed(error);
    this.stop();
  }

  #report(report: PipelineReport): void {
    if (this.#isOver) return;
    const { onReport } = this.#options;
    if (report.type !== 'trouble' || report.text === null) onReport(report);
    else onReport({ ...report, text: this.redact(report.text) });
  }
}

const failed = ({ message }: Error): PipelineEnd => ({ reason: 'failed', detail: message });

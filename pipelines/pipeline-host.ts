import { setTimeout as sleep } from 'node:timers/promises';
import { stopDeadlinesMs } from '../bus/children/stop-deadlines.ts';
import { leases } from '../bus/leases.ts';
import { type Log, rewordedLog } from '../bus/log.ts';
import { Logger } from '../bus/logging/logger.ts';
import { Bus } from '../bus/nats/bus.ts';
import { Outbox } from '../bus/nats/outbox.ts';
import { commands, liveSubject, recordings } from '../bus/subjects.ts';
import type {
  ChildMessage,
  ParentMessage,
  PipelineEnd,
  PipelineReport,
  PipelineSession,
} from './protocol/pipeline-protocol.ts';
import { redactor } from './redactor.ts';
import { StreamSession } from './stream-session.ts';

/**
 * The process of one pipeline. Its life goes over IPC: the session in, reports out, and with the channel it ends.
 * All else goes over the bus, which recording does not need.
 */

const reconnectPauseMs = 1000;

/** Of hours without a bus; the oldest go first. */
const maxReports = 10_000;

const logger = new Logger();
const reports = new Outbox(maxReports, (count) =>
  logger.source('recorder').warning(`${count} reports of recordings were lost while the bus was unreachable`),
);
let streamSession: StreamSession | undefined;
let live: Bus | undefined;
let ending = false;
let redact = (text: string) => text;

// Ctrl-C in a terminal goes to every process; main decides what it means.
process.on('SIGINT', () => {});
process.on('SIGTERM', stop);
// Main is gone, however it went.
process.on('disconnect', stop);
// It may have gone while this module was loaded: then nothing says so any more.
if (!process.connected) stop();
// And with it may be what read our output.
process.stdout.on('error', () => {});
process.stderr.on('error', () => {});
process.on('uncaughtException', (error) => void end({ reason: 'failed', detail: error.message }));

setInterval(() => send({ type: 'alive' }), leases.pipelineHeartbeat.renewMs);

process.on('message', (order: ParentMessage) => {
  if (order.type === 'stop') stop();
  else void run(order.session);
});

async function run(session: PipelineSession): Promise<void> {
  redact = redactor(session.source);
  logger.configure(session.log);
  let frames: Bus | undefined;
  try {
    streamSession = new StreamSession({
      session,
      monitorLog: cleanLog(logger.source('monitor')),
      recorderLog: cleanLog(logger.source('recorder')),
      onReport: (report) => send(report),
      onRecordingReport: (report) => reports.add(recordings, [report.monitorID], report),
      onFrame: (frame) => frames?.publishFrame(session.monitorID, frame),
      onLive: (stream, packet) => live?.publishLive(liveSubject(session.monitorID, stream), packet),
    });
    void attach(session, streamSession);
    if (session.frames.gray || session.frames.rgb)
      void connect(session, 'frames').then((bus) => (frames = bus));
    await end(await streamSession.run());
  } catch (error) {
    await end({ reason: 'failed', detail: (error as Error).message });
  }
}

/** Logs, reports and commands, from when the bus can be reached. */
async function attach(session: PipelineSession, running: StreamSession): Promise<void> {
  const bus = await connect(session, 'pipeline');
  logger.attach(bus);
  reports.attach(bus);
  live = bus;
  bus.respond(commands.record, [session.monitorID], ({ until }) => running.record(until));
  bus.respond(commands.frames, [session.monitorID], ({ format }) => running.wantFrames(format));
  bus.respond(commands.live, [session.monitorID], ({ stream, ...wanted }) => running.watch(stream, wanted));
}

async function connect({ bus, monitorID }: PipelineSession, purpose: string): Promise<Bus> {
  for (;;) {
    try {
      return await Bus.connect(bus, `${purpose} ${monitorID}`);
    } catch {
      await sleep(reconnectPauseMs);
    }
  }
}

function stop(): void {
  if (streamSession) streamSession.stop();
  else void end({ reason: 'stopped', detail: '' });
}

/** The last thing this process does. */
async function end(reason: PipelineEnd): Promise<void> {
  if (ending) return;
  ending = true;
  await Promise.all([logger, reports].map((each) => each.flush(stopDeadlinesMs.pipelineLog)));
  // Threads of the addon that still wait for GStreamer would make an orderly exit hang for ever.
  const leave = () => process.kill(process.pid, 'SIGKILL');
  setTimeout(leave, stopDeadlinesMs.pipelineReport);
  send({ type: 'ended', ...reason }, leave);
}

function send(report: PipelineReport | ChildMessage, sent: () => void = () => {}): void {
  if (process.connected) process.send?.(cleaned(report), sent);
  else sent();
}

/** Masks secrets: an address in a text for people may carry a password. */
function cleanLog(log: Log): Log {
  return rewordedLog(log, redact);
}

/** The same for reports to main. */
function cleaned(report: PipelineReport | ChildMessage): PipelineReport | ChildMessage {
  if (report.type === 'ended') return { ...report, detail: redact(report.detail) };
  if (report.type === 'trouble' && report.text !== null) return { ...report, text: redact(report.text) };
  return report;
}

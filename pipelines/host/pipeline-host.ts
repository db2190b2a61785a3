import { stopDeadlinesMs } from '../../bus/children/stop-deadlines.ts';
import { leases } from '../../bus/leases.ts';
import { pipelineBudget } from '../gstreamer/pipeline-budget.ts';
import type { PipelineReport, PipelineSession } from '../protocol/pipeline-protocol.ts';
import { HostBus } from './host-bus.ts';
import type { HostMessage, HostOrder } from './host-messages.ts';
import { HostedSession } from './hosted-session.ts';

/**
 * A process of sessions. Their lives go over IPC: orders in, reports out, and with the channel they end. All else goes over
 * the bus, which recording does not need.
 */

const host = new HostBus();
const sessions = new Map<number, { readonly hosted: HostedSession; readonly ended: Promise<void> }>();
let isLeaving = false;
let isFailing = false;

// Ctrl-C in a terminal goes to every process; main decides what it means.
process.on('SIGINT', () => {});
process.on('SIGTERM', leave);
// Main is gone, however it went.
process.on('disconnect', leave);
// And with it may be what read our output.
process.stdout.on('error', () => {});
process.stderr.on('error', () => {});
process.on('uncaughtException', fail);

setInterval(() => send({ type: 'alive' }), leases.pipelineHeartbeat.renewMs);

process.on('message', (order: HostOrder) => {
  if (order.type === 'leave') leave();
  else if (order.type === 'stop') sessions.get(order.id)?.hosted.stop();
  else start(order.id, order.session);
});

// From now on an end is one of a process that ran.
send({ type: 'alive' });

// It may have gone while this module was loaded: then nothing says so any more.
if (!process.connected) leave();

function start(id: number, session: PipelineSession): void {
  const onReport = (report: PipelineReport) => send({ type: 'report', id, report });
  if (isLeaving) {
    onReport({ type: 'ended', reason: 'failed', detail: 'the pipeline process is ending' });
    return;
  }
  const hosted = new HostedSession({ session, host, onReport });
  const ended = hosted.run().then(({ end, hangs }) => {
    // Before the end, so that the next connection begins in another process.
    if (hangs || pipelineBudget.isWorn) send({ type: 'worn' });
    onReport({ type: 'ended', ...end });
    sessions.delete(id);
  });
  sessions.set(id, { hosted, ended });
}

function leave(): void {
  if (isLeaving) return;
  isLeaving = true;
  send({ type: 'worn' });
  for (const { hosted } of sessions.values()) hosted.stop();
  void Promise.all([...sessions.values()].map(({ ended }) => ended)).then(async () => {
    await host.flush();
    end({ type: 'alive' });
  });
}

/** An error that escaped may have left anything half done, so the process goes, as after a crash. */
function fail({ message }: Error): void {
  if (isFailing) return;
  isFailing = true;
  send({ type: 'worn' });
  const detail = [...sessions.values()].reduce((text, { hosted }) => hosted.redact(text), message);
  void host.flush().then(() => end({ type: 'failing', detail }));
}

/** The last thing that this process does. */
function end(last: HostMessage): void {
  // Threads of the addon that still wait for GStreamer would make an orderly exit hang for ever.
  const die = () => process.kill(process.pid, 'SIGKILL');
  setTimeout(die, stopDeadlinesMs.pipelineReport);
  send(last, die);
}

function send(message: HostMessage, sent: () => void = () => {}): void {
  if (process.connected) process.send?.(message, sent);
  else sent();
}

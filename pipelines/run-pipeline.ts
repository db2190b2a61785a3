import { fork } from 'node:child_process';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { hostFlags } from '../bus/children/host-process.ts';
import { orphanMs, stopDeadlinesMs } from '../bus/children/stop-deadlines.ts';
import { SupervisedChild } from '../bus/children/supervised-child.ts';
import { leases } from '../bus/leases.ts';
import { pipelineEnvironment } from './pipeline-environment.ts';
import type {
  ChildMessage,
  ParentMessage,
  PipelineEnd,
  PipelineReport,
  PipelineSession,
} from './protocol/pipeline-protocol.ts';
import { redactor } from './redactor.ts';

export type { PipelineEnd } from './protocol/pipeline-protocol.ts';

/** The process ends itself right after its last report. */
const exitDeadlineMs = 1000;
const host = fileURLToPath(new URL('./pipeline-host.js', import.meta.url));

/**
 * Runs one session in a process of its own until it ends. Aborting stops it gracefully (its files are finished),
 * and by force after a deadline.
 *
 * Resolves when the process is gone; never rejects. `onReport` receives everything that the process reports, its
 * end too.
 */
export async function runPipeline(
  session: PipelineSession,
  { signal, onReport }: { signal: AbortSignal; onReport: (report: PipelineReport) => void },
): Promise<PipelineEnd> {
  let reported: PipelineEnd | undefined;
  const child = new SupervisedChild<PipelineReport | ChildMessage>({
    // Every user of the machine can read arguments: the id is for people, the session comes over IPC.
    start: () =>
      fork(host, [session.monitorID], {
        execArgv: [...hostFlags],
        env: pipelineEnvironment(dirname(session.recordingsDir)),
        stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
      }),
    onMessage(report) {
      child.markReady();
      if (report.type === 'alive') return;
      if (report.type === 'ended') {
        reported = { reason: report.reason, detail: report.detail };
        child.endWithin(exitDeadlineMs);
      }
      onReport(report);
    },
    silenceMs: leases.pipelineHeartbeat.expireMs,
    askToStop: () => child.send({ type: 'stop' } satisfies ParentMessage),
    stopMs: stopDeadlinesMs.pipeline,
    orphanMs,
  });
  child.send({ type: 'start', session } satisfies ParentMessage);
  const stop = () => void child.stop();
  if (signal.aborted) stop();
  else signal.addEventListener('abort', stop, { once: true });

  const { kind, how, lastLine } = await child.ended;
  signal.removeEventListener('abort', stop);
  if (reported) return reported;
  const last = redactor(session.source)(lastLine);
  const end: PipelineEnd =
    kind === 'stopped'
      ? { reason: 'stopped', detail: '' }
      : { reason: 'failed', detail: `the pipeline process ${how}${last && `: ${last}`}` };
  onReport({ type: 'ended', ...end });
  return end;
}

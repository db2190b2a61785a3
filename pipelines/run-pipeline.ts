import { type ChildProcess, fork, spawn } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { hostEnvironment, hostFlags } from '../bus/base/host-process.ts';
import { leases } from '../bus/leases.ts';
import type {
  ChildMessage,
  ParentMessage,
  PipelineEnd,
  PipelineReport,
  PipelineSession,
} from './pipeline-protocol.ts';
import { redactor } from './redactor.ts';

export type { PipelineEnd } from './pipeline-protocol.ts';

/** A pipeline that was told to stop finishes its files within about three seconds. */
const stopDeadlineMs = 6000;
/** The process ends itself right after its last report. */
const exitDeadlineMs = 1000;
const keptErrorOutput = 2000;
const { expireMs } = leases.pipelineHeartbeat;
/** How long a pipeline may outlive main, in seconds: it needs one to finish its file. */
const orphanDeadlineSeconds = 4;

/** Node cannot run TypeScript: from the sources, too, the built process is started. */
const host = fileURLToPath(
  new URL(
    import.meta.url.endsWith('.ts') ? '../dist/pipelines/pipeline-host.js' : './pipeline-host.js',
    import.meta.url,
  ),
);

const live = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of live) child.kill('SIGKILL');
});

/**
 * Runs one session in a process of its own until it ends. Aborting stops it gracefully (its files are finished),
 * and by force after a deadline.
 *
 * Resolves when the process is gone; never rejects. `onReport` receives everything that the process reports, its
 * end too.
 */
export function runPipeline(
  session: PipelineSession,
  { signal, onReport }: { signal: AbortSignal; onReport: (report: PipelineReport) => void },
): Promise<PipelineEnd> {
  return new Promise((resolve) => {
    let end: PipelineEnd | undefined;
    let deadline: NodeJS.Timeout | undefined;
    let errors = '';
    let silence = 0;

    // Every user of the machine can read arguments: the id is for people, the session comes over IPC.
    const child = fork(host, [session.monitorID], {
      execArgv: [...hostFlags],
      env: environment(session),
      stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
    });
    live.add(child);
    const release = guard(child);

    const order = (message: ParentMessage) => child.send(message, () => {});
    const killAfter = (milliseconds: number) => {
      clearTimeout(deadline);
      deadline = setTimeout(() => child.kill('SIGKILL'), milliseconds);
    };
    const stop = () => {
      order({ type: 'stop' });
      killAfter(stopDeadlineMs);
    };
    // Counted, not measured: a main that was suspended has heard nothing either.
    const watch = setInterval(() => {
      silence += 1;
      if (silence >= expireMs / 1000) child.kill('SIGKILL');
    }, 1000);
    const finish = (how: string) => {
      if (!live.delete(child)) return;
      clearTimeout(deadline);
      clearInterval(watch);
      release();
      signal.removeEventListener('abort', stop);
      if (!end) {
        const last = redactor(session.source)(errors.trim().split('\n').at(-1) ?? '');
        const why =
          silence >= expireMs / 1000
            ? `the pipeline process did not answer for ${expireMs / 1000} s`
            : `pipeline process died (${how})${last && `: ${last}`}`;
        end = signal.aborted ? { reason: 'stopped', detail: '' } : { reason: 'failed', detail: why };
        onReport({ type: 'ended', ...end });
      }
      resolve(end);
    };

    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      errors = (errors + text).slice(-keptErrorOutput);
    });
    child.on('message', (report: PipelineReport | ChildMessage) => {
      silence = 0;
      if (report.type === 'alive') return;
      if (report.type === 'ended') {
        end = { reason: report.reason, detail: report.detail };
        killAfter(exitDeadlineMs);
      }
      onReport(report);
    });
    child.once('error', (error) => {
      if (child.pid === undefined) finish(error.message);
    });
    // After `close` nothing that the process wrote or sent is outstanding.
    child.once('close', (code, name) => finish(name ?? `code ${code}`));

    order({ type: 'start', session });
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
  });
}

/**
 * A process that hangs does not hear that main is gone. So another one waits for that: its input ends with main,
 * however that went.
 *
 * @returns ends it.
 */
function guard({ pid }: ChildProcess): () => void {
  if (pid === undefined) return () => {};
  // What has that number by then may be something else.
  const script = 'read _; sleep "$3"; grep -q "$2" "/proc/$1/cmdline" && kill -KILL "$1"';
  // A session of its own keeps a terminal's Ctrl-C away from it.
  const child = spawn(
    'sh',
    ['-c', script, 'sh', String(pid), 'pipelines/pipeline-host.js', String(orphanDeadlineSeconds)],
    {
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
      env: hostEnvironment(),
    },
  );
  child.on('error', () => {});
  child.stdin.on('error', () => {});
  return () => void child.kill('SIGKILL');
}

/** How many threads may wait inside of GStreamer (two pipelines, each with its bus and its sinks), and some for files. */
const threads = 5 + 5;

function environment(session: PipelineSession): NodeJS.ProcessEnv {
  return {
    // Without a registry that can be written, each process would look at every plug-in again: 1.2 s.
    GST_REGISTRY: join(dirname(session.recordingsDir), 'gstreamer-registry.bin'),
    ...hostEnvironment(),
    UV_THREADPOOL_SIZE: String(threads),
  };
}

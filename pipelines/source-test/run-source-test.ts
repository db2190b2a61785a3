import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { hostFlags } from '../../bus/children/host-process.ts';
import { orphanMs } from '../../bus/children/stop-deadlines.ts';
import { SupervisedChild } from '../../bus/children/supervised-child.ts';
import { pipelineEnvironment } from '../pipeline-environment.ts';
import type { VideoSource } from '../protocol/pipeline-protocol.ts';
import { redactor } from '../redactor.ts';
import type { SourceTestOrder, SourceTestReport } from './source-test-protocol.ts';

/** The process has two seconds less, and the answer is there within 15. */
const deadlineMs = 14_500;
const host = fileURLToPath(new URL('./source-test-host.js', import.meta.url));

/**
 * Plays a source for a few seconds in a process of its own.
 *
 * @returns what there is to see, or why not, within 15 seconds; never rejects. After `signal` nobody wants to know.
 */
export async function runSourceTest(
  source: VideoSource,
  { storageDir, signal }: { readonly storageDir: string; readonly signal: AbortSignal },
): Promise<SourceTestReport> {
  let report: SourceTestReport | undefined;
  const child = new SupervisedChild<SourceTestReport>({
    // Every user of the machine can read arguments: the source comes over IPC.
    start: () =>
      fork(host, [], {
        execArgv: [...hostFlags],
        env: pipelineEnvironment(storageDir),
        stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
      }),
    onMessage(found) {
      report ??= found;
      child.kill();
    },
    askToStop: (process) => process.kill('SIGKILL'),
    stopMs: deadlineMs,
    orphanMs,
  });
  child.markReady();
  child.endWithin(deadlineMs);
  child.send({ source } satisfies SourceTestOrder);
  const stop = () => void child.stop();
  if (signal.aborted) stop();
  else signal.addEventListener('abort', stop, { once: true });
  const { kind, how, lastLine } = await child.ended;
  signal.removeEventListener('abort', stop);
  if (report) return report;
  if (kind === 'stopped') return { ok: false, reason: 'stopped', detail: 'the test was ended' };
  const last = redactor(source)(lastLine);
  return { ok: false, reason: 'failed', detail: `the process of the test ${how}${last && `: ${last}`}` };
}

import { fileURLToPath } from 'node:url';
import { askProcess } from '../../bus/children/one-answer-process.ts';
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
  const options = { host, deadlineMs, signal, env: pipelineEnvironment(storageDir) };
  const { answer, end } = await askProcess<SourceTestOrder, SourceTestReport>({ source }, options);
  if (answer) return answer;
  const { kind, how, lastLine } = end;
  if (kind === 'stopped') return { ok: false, reason: 'stopped', detail: 'the test was ended' };
  const last = redactor(source)(lastLine);
  return { ok: false, reason: 'failed', detail: `the process of the test ${how}${last && `: ${last}`}` };
}

import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { hostFlags } from '../../bus/children/host-process.ts';
import { orphanMs } from '../../bus/children/stop-deadlines.ts';
import { SupervisedChild } from '../../bus/children/supervised-child.ts';
import { pipelineEnvironment } from '../pipeline-environment.ts';
import type { PictureOrder, PictureReport } from './picture-protocol.ts';

const deadlineMs = 10_000;
const host = fileURLToPath(new URL('./picture-host.js', import.meta.url));

/**
 * Decodes one frame of a recording in a process of its own, because a damaged file may crash the decoder.
 *
 * @returns a JPEG of at most 640 pixels of width; undefined if it could not be made within 10 s. Never rejects.
 */
export async function runPicture(
  order: PictureOrder,
  { storageDir, signal }: { readonly storageDir: string; readonly signal: AbortSignal },
): Promise<Uint8Array | undefined> {
  let picture: string | null = null;
  const child = new SupervisedChild<PictureReport>({
    start: () =>
      fork(host, [], {
        execArgv: [...hostFlags],
        env: pipelineEnvironment(storageDir),
        stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
      }),
    onMessage(found) {
      picture ??= found.picture;
      child.kill();
    },
    askToStop: (process) => process.kill('SIGKILL'),
    stopMs: deadlineMs,
    orphanMs,
  });
  child.markReady();
  child.endWithin(deadlineMs);
  child.send(order);
  const stop = () => void child.stop();
  if (signal.aborted) stop();
  else signal.addEventListener('abort', stop, { once: true });
  await child.ended;
  signal.removeEventListener('abort', stop);
  return picture === null ? undefined : Buffer.from(picture, 'base64');
}

import { fileURLToPath } from 'node:url';
import { askProcess } from '../../bus/children/one-answer-process.ts';
import { pipelineEnvironment } from '../pipeline-environment.ts';
import type { PictureOrder, PictureReport } from './picture-protocol.ts';

const deadlineMs = 10_000;
const host = fileURLToPath(new URL('./picture-host.js', import.meta.url));

/**
 * Decodes one frame of a recording in a process of its own, because a damaged file may crash the decoder.
 *
 * @returns a JPEG of at most 640 pixels of width; undefined if it cannot be made; `late` if 10 s were not enough. Never
 * rejects.
 */
export async function runPicture(
  order: PictureOrder,
  { storageDir, signal }: { readonly storageDir: string; readonly signal: AbortSignal },
): Promise<Uint8Array | 'late' | undefined> {
  const { answer, isLate } = await askProcess<PictureOrder, PictureReport>(order, {
    ...{ host, deadlineMs, signal },
    env: pipelineEnvironment(storageDir),
  });
  if (isLate) return 'late';
  return answer?.picture ? Buffer.from(answer.picture, 'base64') : undefined;
}

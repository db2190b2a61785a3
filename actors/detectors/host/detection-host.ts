import { InferenceWorker } from '../objects/inference/inference-worker.ts';
import type { DetectionHostConfig, DetectionHostMessage } from './detection-host-protocol.ts';

/**
 * The detector host: a process of its own, so that looking at pictures never holds up the recorder.
 *
 * Its parent's first message says where the bus and its files are. Everything after that comes over the bus; it ends
 * when its parent does.
 *
 * After a crash every second counts: models that were open before are opened by their thread while this one loads the
 * rest, most of which is modules. So this file imports next to nothing.
 */

/** Pictures are written, and what is left is told, in less; the parent waits no longer than two seconds. */
const lastWords = 1500;

process.once('disconnect', () => setTimeout(() => process.exit(), lastWords));
process.once('message', (order: DetectionHostConfig) => void run(order));
// A terminal's Ctrl-C reaches the whole group; the parent decides when this process ends.
process.on('SIGINT', () => {});

async function run(order: DetectionHostConfig): Promise<void> {
  const inferenceWorker = new InferenceWorker({
    stuck: order.stuck,
    onStuck: (model) => {
      // Any other end would wait for the thread.
      const end = () => process.kill(process.pid, 'SIGKILL');
      if (model) process.send?.({ stuck: model } satisfies DetectionHostMessage, end);
      else end();
    },
  });
  // What is wrong with one of them is told to who asks for it.
  for (const source of order.models) inferenceWorker.run<'open'>({ type: 'open', source }).catch(() => {});
  const { runDetectors } = await import('./detector-runner.ts');
  await runDetectors(order, inferenceWorker, (sign: DetectionHostMessage) => {
    // Main may just have gone; that is heard by `disconnect`.
    if (process.connected) process.send?.(sign, () => {});
  });
}

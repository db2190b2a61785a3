import { endProcess } from '../../../bus/base/process-end.ts';
import { stopDeadlinesMs } from '../../../bus/base/stop-deadlines.ts';
import { InferenceWorker } from '../objects/inference/inference-worker.ts';
import type {
  DetectionHostConfig,
  DetectionHostMessage,
  DetectionHostOrder,
} from './detection-host-protocol.ts';

/**
 * The detector host: a process of its own, so that looking at pictures never holds up the recorder.
 *
 * Its parent's first message says where the bus and its files are. Everything after that comes over the bus; it ends
 * when its parent does.
 *
 * After a crash every second counts: models that were open before are opened by their thread while this one loads the
 * rest, most of which is modules. So this file imports next to nothing.
 */

process.once('disconnect', () => setTimeout(() => endProcess(0), stopDeadlinesMs.detectorThreads));
process.on('message', (order: DetectionHostOrder) => {
  // As if the parent had gone.
  if (order === 'stop') process.disconnect();
  else void run(order);
});
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

import { endProcess } from '../../../bus/children/process-end.ts';
import { stopDeadlinesMs } from '../../../bus/children/stop-deadlines.ts';
import { InferenceWorker } from '../objects/inference/inference-worker.ts';
import type {
  DetectionHostOrder,
  DetectorHostConfig,
  DetectorHostMessage,
} from './detector-host-protocol.ts';

/**
 * The detector host: a process of its own, so that detection never holds up the recorder.
 *
 * The parent's first message has the bus's address and the folders. Everything after that comes over the bus. The host ends
 * when its parent does.
 *
 * After a crash the restart must be quick: the inference thread opens the models that were open before, while this thread
 * loads the rest, mostly modules. So this file imports next to nothing.
 */

process.once('disconnect', () => setTimeout(() => endProcess(0), stopDeadlinesMs.detectorThreads));
process.on('message', (order: DetectionHostOrder) => {
  // Ends as if the parent had gone. Not at once: Node.js would fail in the list of messages that came before this one listened.
  if (order === 'stop') setImmediate(() => process.connected && process.disconnect());
  else void run(order);
});
// A terminal's Ctrl-C reaches the whole group; the parent decides when this process ends.
process.on('SIGINT', () => {});

async function run(order: DetectorHostConfig): Promise<void> {
  const inferenceWorker = new InferenceWorker({
    stuck: order.stuck,
    onStuck: (model) => {
      // Any other way to end would wait for the thread.
      const end = () => process.kill(process.pid, 'SIGKILL');
      if (model) process.send?.({ stuck: model } satisfies DetectorHostMessage, end);
      else end();
    },
  });
  // A failure is reported when the model is next requested.
  for (const source of order.models) inferenceWorker.run<'open'>({ type: 'open', source }).catch(() => {});
  const { runDetectors } = await import('./detector-runner.ts');
  await runDetectors(order, inferenceWorker, (sign: DetectorHostMessage) => {
    // Main may just have ended, which `disconnect` reports.
    if (process.connected) process.send?.(sign, () => {});
  });
}

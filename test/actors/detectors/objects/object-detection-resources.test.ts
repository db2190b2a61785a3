import { expect, test } from 'vitest';
import { InferenceWorker } from '../../../../actors/detectors/objects/inference/inference-worker.ts';
import { ObjectDetectionResources } from '../../../../actors/detectors/objects/object-detection-resources.ts';
import { Outbox } from '../../../../bus/nats/outbox.ts';
import { silentLogger, startTestBus } from '../../../support/bus.ts';
import { atEnd } from '../../../support/cleanup.ts';
import { temporaryFolder } from '../../../support/folder.ts';

/** A thread whose fastest engine refuses every model. */
class RefusingWorker extends InferenceWorker {
  override async run(): Promise<never> {
    return { engine: 'TensorFlow Lite WebAssembly', refusals: ['ONNX Runtime: no operator FOO'] } as never;
  }
}

test('why a slower engine runs a model is logged once, however many monitors use it', async () => {
  const folder = await temporaryFolder();
  const { bus } = await startTestBus();
  const warnings: string[] = [];
  const resources = new ObjectDetectionResources({
    configDir: folder,
    storageDir: folder,
    bus,
    outbox: new Outbox(10, () => {}),
    inferenceWorker: new RefusingWorker(),
    log: { ...silentLogger().source('tflite'), warning: (message) => void warnings.push(message) },
    onModelOpened: () => {},
  });
  atEnd(() => resources.close());
  await resources.open('default');
  await resources.open('default');
  expect(warnings).toEqual([
    'default: runs on TensorFlow Lite WebAssembly, because a faster engine refused it: ONNX Runtime: no operator FOO',
  ]);
});

import { expect, test } from 'vitest';
import { InferenceWorker } from '../../../../../actors/detectors/objects/inference/inference-worker.ts';

const source = { kind: 'default', name: 'default' } as const;
const picture = { width: 640, height: 480, data: new Uint8Array(640 * 480 * 3) };
const look = { type: 'look', source, picture, region: { x: 0, y: 0, width: 640, height: 480 } } as const;

test('a thread that is ended in the middle of its work finishes it first', async () => {
  const inferenceWorker = new InferenceWorker();
  const looks = [1, 2, 3].map(() =>
    inferenceWorker.run<'look'>({ ...look, wanted: new Map([['person', 0.4]]) }),
  );
  await inferenceWorker.close();
  expect(await Promise.all(looks)).toEqual([[], [], []]);
});

test('a failure in the thread is reported to its requester, and the next is served', async () => {
  const inferenceWorker = new InferenceWorker();
  const place = '/nowhere';
  const nowhere = { kind: 'tflite', name: 'mine', model: place, labels: place, downloads: place } as const;
  await expect(inferenceWorker.run<'open'>({ type: 'open', source: nowhere })).rejects.toThrow(
    'mine: the list of labels cannot be read: /nowhere',
  );
  const { length } = await inferenceWorker.run<'jpeg'>({ type: 'jpeg', picture });
  expect(length).toBeGreaterThan(100);
  await inferenceWorker.close();
});

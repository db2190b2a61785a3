import { expect, test } from 'vitest';
import {
  InferenceWorker,
  type InferenceWorkerOptions,
} from '../../../../../actors/detectors/objects/inference/inference-worker.ts';
import { atEnd } from '../../../../support/cleanup.ts';
import { waitFor } from '../../../../support/wait.ts';

/** A thread that answers, ends with an error or does not come back, as its model is called. */
const script = new URL(
  `data:text/javascript,${encodeURIComponent(`
    import { execFileSync } from 'node:child_process';
    import { parentPort } from 'node:worker_threads';
    parentPort.on('message', ({ id, task }) => {
      if (task.source?.name === 'crash') throw new RangeError('the memory is full');
      if (task.source?.name === 'loop') for (;;);
      if (task.source?.name === 'native') execFileSync('sleep', ['3']);
      parentPort.postMessage({ kind: 'answer', id, answer: 'engine' });
    });
    parentPort.postMessage({ kind: 'ready' });
  `)}`,
);
const deadlines = { open: 2000, work: 1000, end: 5000 };
const model = (name: string) => ({ kind: 'default', name }) as const;

function workshopOf(options: InferenceWorkerOptions = {}) {
  const inferenceWorker = new InferenceWorker({ script, deadlines, ...options });
  atEnd(() => inferenceWorker.close());
  return (name: string) => inferenceWorker.run<'open'>({ type: 'open', source: model(name) });
}

test('a model that ends its thread is reported to its requester, and the next is served by another thread', async () => {
  const open = workshopOf();
  await expect(open('crash')).rejects.toMatchObject({
    name: 'WorkerLostError',
    message: 'the thread of the models has ended: the memory is full',
    cause: { message: 'the memory is full' },
  });
  expect(await open('good')).toBe('engine');
});

test('a model that has ended its thread is left alone for a while, and takes nobody with it meanwhile', async () => {
  const open = workshopOf();
  await expect(open('crash')).rejects.toThrow('the memory is full');
  const [good, again] = await Promise.allSettled([open('good'), open('crash')]);
  expect(good.status).toBe('fulfilled');
  expect(again).toMatchObject({
    reason: { message: 'the thread of the models has ended: the memory is full' },
  });
});

test('a model that blocks its thread for good is ended with it, and waiting requests fail', async () => {
  const stuck: string[] = [];
  const open = workshopOf({ onStuck: (one) => void stuck.push(one?.name ?? '') });
  const [loop, waiting] = await Promise.allSettled([open('loop'), open('good')]);
  const message = 'loop: the thread of the models gave no answer in 2 s, and was ended';
  expect(loop).toMatchObject({ reason: { name: 'WorkerLostError', message } });
  expect(waiting).toMatchObject({ reason: { message } });
  expect(await open('good')).toBe('engine');
  await expect(open('loop')).rejects.toThrow(message);
  expect(stuck).toEqual([]);
});

test('a thread that cannot be ended is reported, for its process to end', async () => {
  const stuck: string[] = [];
  const onStuck: InferenceWorkerOptions['onStuck'] = (one) => void stuck.push(one?.name ?? '');
  const open = workshopOf({ onStuck, deadlines: { ...deadlines, end: 50 } });
  await expect(open('native')).rejects.toThrow('gave no answer');
  await waitFor(() => stuck.length > 0, 5000, 'the report');
  expect(stuck).toEqual(['native']);
});

test('a model that the process before was stuck in is not opened at once', async () => {
  const open = workshopOf({ stuck: [model('loop')] });
  await expect(open('loop')).rejects.toThrow(
    'loop: the model blocked its thread; it is left alone for a while',
  );
  expect(await open('good')).toBe('engine');
});

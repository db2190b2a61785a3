import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type {
  InferenceResults,
  InferenceTask,
} from '../../../../../actors/detectors/objects/inference/inference-thread.ts';
import { InferenceWorker } from '../../../../../actors/detectors/objects/inference/inference-worker.ts';
import { ObjectDetectionResources } from '../../../../../actors/detectors/objects/object-detection-resources.ts';
import { SnapshotWriter } from '../../../../../actors/detectors/objects/snapshots/snapshot-writer.ts';
import { Outbox } from '../../../../../bus/nats/outbox.ts';
import { readSnapshot, snapshotEventID } from '../../../../../store/recordings/snapshots.ts';
import { silentLogger, startTestBus } from '../../../../support/bus.ts';
import { temporaryFolder } from '../../../../support/folder.ts';

const newPicture = () => ({ width: 640, height: 480, data: new Uint8Array(640 * 480 * 3) });
const times = <T>(count: number, make: () => T): T[] => Array.from({ length: count }, make);

class CountingWorkshop extends InferenceWorker {
  readonly tasks: string[] = [];

  override run<Type extends InferenceTask['type']>(
    task: Extract<InferenceTask, { type: Type }>,
  ): Promise<InferenceResults[Type]> {
    this.tasks.push(task.type);
    return super.run<Type>(task);
  }
}

async function startFinder() {
  const folder = await temporaryFolder();
  const log = silentLogger().source('tflite');
  const inferenceWorker = new InferenceWorker();
  const { bus } = await startTestBus();
  const outbox = new Outbox(10, () => {});
  const files = { configDir: folder, storageDir: folder };
  const host = { ...files, inferenceWorker, bus, outbox, log, onModelOpened: () => {} };
  const objectDetection = new ObjectDetectionResources(host);
  return { inferenceWorker, objectDetection };
}

test('a picture with many people in it is encoded once, and kept for each of them', async () => {
  const folder = await temporaryFolder();
  const inferenceWorker = new CountingWorkshop();
  const writer = new SnapshotWriter(folder, inferenceWorker);
  const ids = times(10, () => snapshotEventID(Date.now()));
  const [one, other] = [newPicture(), newPicture()];
  await Promise.all(ids.map((id) => writer.write(id, one)));
  await writer.write(snapshotEventID(Date.now()), other);
  for (const id of ids)
    expect((await readSnapshot(folder, id))?.subarray(0, 2)).toEqual(Buffer.from('ffd8', 'hex'));
  expect(inferenceWorker.tasks).toEqual(['jpeg', 'jpeg']);
  await writer.close();
});

test('more pictures than can be encoded are refused, and it goes on', async () => {
  const folder = await temporaryFolder();
  const writer = new SnapshotWriter(folder, new InferenceWorker());
  const write = () => writer.write(snapshotEventID(Date.now()), newPicture());
  const outcomes = await Promise.allSettled(times(40, write));
  expect(outcomes.filter(({ status }) => status === 'rejected')).toHaveLength(8);
  await write();
  await writer.close();
});

test('nobody who is looked for waits until pictures are encoded', async () => {
  const { inferenceWorker, objectDetection } = await startFinder();
  const { model } = await objectDetection.open('default');
  const order: string[] = [];
  const keeping = times(20, () => objectDetection.keep(snapshotEventID(Date.now()), newPicture(), 'door'));
  const region = { x: 0, y: 0, width: 640, height: 480 };
  const looking = inferenceWorker.run<'look'>({
    type: 'look',
    source: model,
    picture: newPicture(),
    region,
    wanted: new Map([['person', 0.4]]),
  });
  await Promise.all([
    looking.then(() => order.push('looked')),
    Promise.all(keeping).then(() => order.push('kept')),
  ]);
  expect(order).toEqual(['looked', 'kept']);
  await objectDetection.close();
});

test('pictures that are being written when all ends are written', async () => {
  // Its thread's end takes no time in which they could be by chance.
  class HastyWorkshop extends InferenceWorker {
    override async close(): Promise<void> {
      void super.close();
    }
  }
  const folder = await temporaryFolder();
  const writer = new SnapshotWriter(folder, new HastyWorkshop());
  for (const picture of times(5, newPicture)) void writer.write(snapshotEventID(Date.now()), picture);
  await writer.close();
  const files = await readdir(join(folder, 'snapshots'), { recursive: true });
  expect(files.filter((file) => file.endsWith('.jpeg'))).toHaveLength(5);
});

import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ObjectFinder } from '../../../actors/detectors/tflite/object-finder.ts';
import { SnapshotWriter } from '../../../actors/detectors/tflite/snapshot-writer.ts';
import type { Results, Task } from '../../../actors/detectors/tflite/worker.ts';
import { Workshop } from '../../../actors/detectors/tflite/workshop.ts';
import { readSnapshot, snapshotEventID } from '../../../store/snapshots.ts';
import { silentLogger } from '../../support/bus.ts';
import { temporaryFolder } from '../../support/folder.ts';

const newPicture = () => ({ width: 640, height: 480, data: new Uint8Array(640 * 480 * 3) });
const times = <T>(count: number, make: () => T): T[] => Array.from({ length: count }, make);

class CountingWorkshop extends Workshop {
  readonly tasks: string[] = [];

  override do<Type extends Task['type']>(task: Extract<Task, { type: Type }>): Promise<Results[Type]> {
    this.tasks.push(task.type);
    return super.do<Type>(task);
  }
}

async function startFinder() {
  const folder = await temporaryFolder();
  const log = silentLogger().source('tflite');
  const workshop = new Workshop();
  const finder = new ObjectFinder({ configDir: folder, storageDir: folder, workshop, log });
  return { workshop, finder };
}

test('a picture with many people in it is encoded once, and kept for each of them', async () => {
  const folder = await temporaryFolder();
  const workshop = new CountingWorkshop();
  const writer = new SnapshotWriter(folder, workshop);
  const ids = times(10, () => snapshotEventID(Date.now()));
  const [one, other] = [newPicture(), newPicture()];
  await Promise.all(ids.map((id) => writer.write(id, one)));
  await writer.write(snapshotEventID(Date.now()), other);
  for (const id of ids)
    expect((await readSnapshot(folder, id))?.subarray(0, 2)).toEqual(Buffer.from('ffd8', 'hex'));
  expect(workshop.tasks).toEqual(['jpeg', 'jpeg']);
  await writer.close();
});

test('more pictures than can be encoded are refused, and it goes on', async () => {
  const folder = await temporaryFolder();
  const writer = new SnapshotWriter(folder, new Workshop());
  const write = () => writer.write(snapshotEventID(Date.now()), newPicture());
  const outcomes = await Promise.allSettled(times(40, write));
  expect(outcomes.filter(({ status }) => status === 'rejected')).toHaveLength(8);
  await write();
  await writer.close();
});

test('nobody who is looked for waits until pictures are encoded', async () => {
  const { workshop, finder } = await startFinder();
  const { model } = await finder.open('default');
  const order: string[] = [];
  const keeping = times(20, () => finder.keep(snapshotEventID(Date.now()), newPicture(), 'door'));
  const region = { x: 0, y: 0, width: 640, height: 480 };
  const looking = workshop.do<'look'>({
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
  await finder.close();
});

test('pictures that are being written when all ends are written', async () => {
  // Its thread's end takes no time in which they could be by chance.
  class HastyWorkshop extends Workshop {
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

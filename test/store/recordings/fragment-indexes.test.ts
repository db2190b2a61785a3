import { readFile, rm, stat, writeFile } from 'node:fs/promises';
import { expect, test, vi } from 'vitest';
import { RecordingFiles } from '../../../store/recordings/files/recording-files.ts';
import { FragmentIndexes } from '../../../store/recordings/fragments/fragment-indexes.ts';
import { addFootage, began, pathOf, second } from '../../support/footage.ts';
import { openFrontDoor } from '../../support/http-server.ts';
import { makeVideo, video } from '../../support/pipeline-recorder.ts';

/** Two recordings, and what can be done with their indexes. */
async function start() {
  const [door] = await Promise.all([openFrontDoor(), makeVideo()]);
  const files = new RecordingFiles(door.recordingsDir);
  const indexes = new FragmentIndexes(files);
  const add = (start: number) => addFootage(door, { start, fragments: video.slice(0, 10) });
  const [id, other] = [await add(began), await add(began + 100 * second)];
  const use = async <T>(how: 'of' | 'follow' | 'store', recordingId = id): Promise<T> => {
    const recording = await files.open(recordingId);
    if (!recording) throw new Error('no recording');
    try {
      return (await indexes[how](recordingId, recording)) as T;
    } finally {
      await recording.handle.close();
    }
  };
  const file = pathOf(door.recordingsDir, id).replace(/mp4$/, 'idx');
  const isStored = () =>
    stat(file).then(
      () => true,
      () => false,
    );
  /** One that is not in memory is read, and stored again. */
  const isInMemory = async () => {
    await rm(file, { force: true });
    await use('store');
    return !(await isStored());
  };
  return { use, isStored, isInMemory, other, otherFile: pathOf(door.recordingsDir, other) };
}

test('an index that nobody has asked for leaves the memory when it is stored', async () => {
  const { use, isStored, isInMemory } = await start();
  await use('follow');
  expect(await isStored()).toBe(false);
  await use('store');
  expect(await isStored()).toBe(true);
  expect(await isInMemory()).toBe(false);
});

test('one that was asked for stays for ten minutes', async () => {
  vi.useFakeTimers({ toFake: ['performance'] });
  try {
    const { use, isInMemory, other } = await start();
    await use('follow');
    await use('of');
    await use('store');
    expect(await isInMemory()).toBe(true);
    vi.advanceTimersByTime(601_000);
    await use('of', other);
    expect(await isInMemory()).toBe(false);
  } finally {
    vi.useRealTimers();
  }
});

test('the headers of an index are all that it keeps of what was read', async () => {
  const { use } = await start();
  const { fragments, init } = await use<{ fragments: { header: Buffer }[]; init: Buffer }>('of');
  expect(fragments).toHaveLength(10);
  const parts = [init, ...fragments.map(({ header }) => header)];
  const kept = new Set(parts.map(({ buffer }) => buffer));
  const keptBytes = [...kept].reduce((sum, { byteLength }) => sum + byteLength, 0);
  expect(keptBytes).toBe(parts.reduce((sum, { length }) => sum + length, 0));
});

test('a recording that grows is read in blocks, and each fragment keeps its own header', async () => {
  const { use, other, otherFile } = await start();
  const { fragments } = await use<{ fragments: { offset: number }[] }>('of');
  const middle = fragments[5]?.offset ?? 0;
  const data = await readFile(otherFile);
  const gap = Buffer.alloc(1_500_000);
  gap.writeUInt32BE(gap.length);
  gap.write('free', 4);
  const longer = Buffer.concat([data.subarray(0, middle), gap, data.subarray(middle)]);
  await writeFile(otherFile, longer);
  await use('follow', other);
  const index = await use<{ fragments: { offset: number; header: Buffer }[] }>('of', other);
  expect(index.fragments).toHaveLength(10);
  for (const { offset, header } of index.fragments)
    expect(header.equals(longer.subarray(offset, offset + header.length))).toBe(true);
});

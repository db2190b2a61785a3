import { readdir, stat, utimes, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { expect, test } from 'vitest';
import { keepRecordingIndexes } from '../../actors/recording-indexes.ts';
import { listUnindexed } from '../../store/recordings/files/archive-listing.ts';
import { RecordingFiles } from '../../store/recordings/files/recording-files.ts';
import { FragmentIndexes } from '../../store/recordings/fragments/fragment-indexes.ts';
import { makeMissingIndexes } from '../../store/recordings/fragments/missing-indexes.ts';
import { addFootage, began, pathOf, report, second } from '../support/footage.ts';
import { openFrontDoor } from '../support/http-server.ts';
import { makeVideo, video } from '../support/pipeline-recorder.ts';

test('a recording has its index beside it as soon as it was saved', async () => {
  const [door] = await Promise.all([openFrontDoor(), makeVideo()]);
  const states: boolean[] = [];
  const stop = keepRecordingIndexes(door.bus, {
    async prepare(recording, isSaved) {
      await door.recordings.prepare(recording, isSaved);
      states.push(isSaved);
    },
  });
  await door.bus.flush();
  const id = await addFootage(door, { start: began, fragments: video.slice(0, 5), state: 'growing' });
  const folder = dirname(pathOf(door.recordingsDir, id));
  await expect.poll(() => states).toEqual([false]);
  // Of one that grows there is none.
  expect(await readdir(folder)).toEqual([`${id}.mp4`]);
  const message = { id, monitorID: 'door', start: began, end: began, bytes: 1, streams: [], reason: '' };
  await report(door.bus, { ...message, state: 'saved' });
  await expect.poll(() => states).toEqual([false, true]);
  expect(await readdir(folder)).toEqual([`${id}.idx`, `${id}.mp4`]);
  // One that a kill has left behind.
  const found = await addFootage(door, {
    ...{ monitorID: 'yard', start: began, fragments: video.slice(0, 5), state: 'found' },
  });
  await expect.poll(() => states).toEqual([false, true, true]);
  const others = dirname(pathOf(door.recordingsDir, found, 'yard'));
  expect(await readdir(others)).toEqual([`${found}.idx`, `${found}.mp4`]);
  stop();
});

test('recordings of an older version get their indexes one by one, the newest first', async () => {
  const [door] = await Promise.all([openFrontDoor(), makeVideo()]);
  const files = new RecordingFiles(door.recordingsDir);
  const ids: string[] = [];
  for (const days of [1, 2, 3, 0]) {
    const start = began - days * 86_400 * second;
    ids.push(await addFootage(door, { start, fragments: video.slice(0, 3) }));
    const path = pathOf(door.recordingsDir, ids.at(-1) ?? '');
    if (days === 2) await writeFile(path.replace(/mp4$/, 'idx'), 'there is one');
    // The last one may be growing.
    if (days > 0) await utimes(path, 1_000_000, 1_000_000);
  }
  const made: string[] = [];
  const indexes = new FragmentIndexes(files);
  const end = makeMissingIndexes({
    ids: () => listUnindexed(door.recordingsDir),
    files,
    indexes: {
      store: async (id, recording) => {
        await indexes.store(id, recording);
        made.push(id);
      },
    },
    ...{ firstMs: 0, pauseMs: () => 0 },
  });
  await expect.poll(() => made).toEqual([ids[0], ids[2]]);
  await end();
  const sizes = ids.map(async (id) =>
    stat(pathOf(door.recordingsDir, id).replace(/mp4$/, 'idx')).then(
      ({ size }) => size,
      () => 0,
    ),
  );
  expect((await Promise.all(sizes)).map((size) => size > 0)).toEqual([true, true, true, false]);
  const listed: string[] = [];
  for await (const id of listUnindexed(door.recordingsDir)) listed.push(id);
  expect(listed).toEqual([ids[3]]);
});

test('a recording that grows is read twice a minute at most', async () => {
  const door = await openFrontDoor();
  const prepared: string[] = [];
  const prepare = async (recording: string, isSaved: boolean) => {
    prepared.push(`${recording} ${isSaved}`);
  };
  const stop = keepRecordingIndexes(door.bus, { prepare });
  await door.bus.flush();
  const message = { monitorID: 'door', start: began, end: began, bytes: 1, streams: [], reason: '' };
  for (const id of ['2000-01-01_00-00-00_door', '2000-01-01_00-00-01_door']) {
    for (const state of ['growing', 'growing', 'saved'] as const)
      await report(door.bus, { ...message, id, state });
  }
  const once = (id: string) => [`${id} false`, `${id} true`];
  await expect
    .poll(() => prepared)
    .toEqual(['2000-01-01_00-00-00_door', '2000-01-01_00-00-01_door'].flatMap(once));
  stop();
});

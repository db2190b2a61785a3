import { readdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { expect, test } from 'vitest';
import { keepRecordingIndexes } from '../../actors/recording-indexes.ts';
import { addFootage, began, pathOf, report } from '../support/footage.ts';
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
  stop();
});

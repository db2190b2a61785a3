import { readdir, utimes } from 'node:fs/promises';
import { dirname } from 'node:path';
import { expect, test } from 'vitest';
import { keepRecordingIndexes } from '../../actors/recording-indexes.ts';
import { addFootage, began, pathOf, report } from '../support/footage.ts';
import { openFrontDoor } from '../support/http-server.ts';
import { makeVideo, video } from '../support/pipeline-recorder.ts';

test('a saved recording has its index beside it before anybody asks for it', async () => {
  const [door] = await Promise.all([openFrontDoor(), makeVideo()]);
  const id = await addFootage(door, { start: began, fragments: video.slice(0, 5), state: 'growing' });
  const path = pathOf(door.recordingsDir, id);
  await utimes(path, 1_700_000_000, 1_700_000_000);
  const stop = keepRecordingIndexes(door.bus, door.recordings, 0);
  const message = { id, monitorID: 'door', start: began, end: began, bytes: 1, streams: [], reason: '' };
  await report(door.bus, { ...message, state: 'growing' });
  await report(door.bus, { ...message, state: 'saved' });
  await expect.poll(() => readdir(dirname(path))).toEqual([`${id}.idx`, `${id}.mp4`]);
  stop();
});

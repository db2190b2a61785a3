import { beforeAll, expect, test } from 'vitest';
import type { CatalogueProgress } from '../../../store/recordings/verification/catalogue-rebuild.ts';
import { addFootage, began, second } from '../../support/footage.ts';
import { openFrontDoor } from '../../support/http-server.ts';
import { makeVideo, video } from '../../support/pipeline-recorder.ts';

beforeAll(makeVideo);

test('answers that are made from an incomplete catalogue say so', async () => {
  let progress: CatalogueProgress = { state: 'checking', added: 0, missing: 0 };
  const door = await openFrontDoor({ catalogueProgress: () => progress });
  await addFootage(door, { start: began, fragments: video.slice(0, 5) });
  const span = `start=${began}&end=${began + 4 * second}`;
  const paths = [
    '/api/recording/query',
    `/api/timeline?${span}`,
    `/api/monitor/door/playlist.m3u8?${span}`,
    `/api/monitor/door/clip.mp4?${span}`,
  ];
  const headers = async () => {
    const answers = await Promise.all(paths.map((path) => door.fetch(path)));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    return new Set(answers.map((answer) => answer.headers.get('x-catalogue-incomplete')));
  };
  expect(await headers()).toEqual(new Set(['checking']));
  progress = { state: 'rebuilding', added: 1200, missing: 200_000 };
  expect(await headers()).toEqual(new Set(['rebuilding; added=1200; missing=200000']));
  expect((await (await door.fetch('/api/storage')).json()).catalogue).toEqual(progress);
  progress = { state: 'complete', added: 200_000, missing: 200_000 };
  expect(await headers()).toEqual(new Set([null]));
});

import { existsSync } from 'node:fs';
import { utimes } from 'node:fs/promises';
import { beforeAll, expect, test } from 'vitest';
import { addFootage, began, pathOf } from '../../support/footage.ts';
import { type FrontDoor, openFrontDoor, user } from '../../support/http-server.ts';
import { makeVideo, video } from '../../support/pipeline-recorder.ts';

let door: FrontDoor;
let id: string;
let path: string;
beforeAll(async () => {
  [door] = await Promise.all([openFrontDoor(), makeVideo()]);
  id = await addFootage(door, { start: began, fragments: video.slice(0, 3) });
  path = pathOf(door.recordingsDir, id);
  await utimes(path, 1_000_000, 1_000_000);
});

test('a protected recording is not deleted, until an admin ends that', async () => {
  expect((await door.change('PUT', `/api/recording/${id}/protect`, undefined, user)).status).toBe(403);
  expect((await door.change('PUT', `/api/recording/${id}/protect`)).status).toBe(200);
  expect((await door.change('PUT', `/api/recording/${id}/protect`)).status).toBe(200);
  expect(existsSync(path.replace('.mp4', '.protected'))).toBe(true);
  const refused = await door.change('DELETE', `/api/recording?id=${id}`);
  expect([refused.status, (await refused.json()).code]).toEqual([409, 'conflict']);

  expect((await door.change('DELETE', `/api/recording/${id}/protect`, undefined, user)).status).toBe(403);
  expect((await door.change('DELETE', `/api/recording/${id}/protect`)).status).toBe(200);
  expect((await door.change('DELETE', `/api/recording?id=${id}`)).status).toBe(200);
  expect(existsSync(path)).toBe(false);
  const texts = door.logged.map(({ msg }) => msg);
  expect(texts).toContain(`recording ${id} protected by 'admin'`);
  expect(texts).toContain(`recording ${id} no longer protected by 'admin'`);
});

test('only a recording can be protected', async () => {
  for (const [other, status] of [
    ['2026-11-23_03-40-12_none', 404],
    ['..%2F..%2Fx', 400],
  ] as const) {
    for (const method of ['PUT', 'DELETE']) {
      expect((await door.change(method, `/api/recording/${other}/protect`)).status).toBe(status);
    }
  }
});

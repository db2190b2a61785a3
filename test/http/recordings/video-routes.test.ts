import { appendFile, mkdir, readFile, rename, symlink, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { addFootage, began, pathOf, second } from '../../support/footage.ts';
import { type FrontDoor, openFrontDoor, user } from '../../support/http-server.ts';
import { makeVideo, video } from '../../support/pipeline-recorder.ts';

let door: FrontDoor;
let id: string;
let url: string;
let data: Buffer;
beforeAll(async () => {
  [door] = await Promise.all([openFrontDoor(), makeVideo()]);
  const { change } = door;
  await change('PUT', '/api/monitor', {
    ...{ id: 'door', name: 'Tür / vorn', enable: false, alwaysRecord: true, videoLength: 15 },
    ...{ source: 'test', sourcetest: {} },
  });
  id = await addFootage(door, { start: began, fragments: video.slice(0, 10) });
  data = await readFile(pathOf(door.recordingsDir, id));
  await utimes(pathOf(door.recordingsDir, id), 1_800_000_000 - 40_000_000, 1_700_000_000);
  url = `/api/recording/${id}/video.mp4`;
});

const get = (headers: Record<string, string> = {}, method = 'GET', path = url) =>
  door.fetch(path, { method, headers }, user);
const bytes = async (answer: Response) => Buffer.from(await answer.arrayBuffer());

describe('a complete recording', () => {
  test('is sent whole, with a name that people understand', async () => {
    const answer = await get();
    expect(answer.status).toBe(200);
    expect((await bytes(answer)).equals(data)).toBe(true);
    expect(answer.headers.get('content-type')).toBe('video/mp4');
    expect(answer.headers.get('accept-ranges')).toBe('bytes');
    const local = new Date(began / 1000);
    const clock = [local.getHours(), local.getMinutes(), local.getSeconds()].map((n) =>
      String(n).padStart(2, '0'),
    );
    expect(decodeURIComponent(answer.headers.get('content-disposition') ?? '')).toContain(
      `Tür_vorn_2026-11-23_${clock.join('-')}.mp4`,
    );
  });

  test.each([
    ['bytes=0-99', 0, 100],
    ['bytes=100-', 100, undefined],
    ['bytes=-100', -100, undefined],
    ['bytes=5-9999999999', 5, undefined],
  ])('is sent in part: %s', async (range, from, to) => {
    const answer = await get({ range });
    const part = data.subarray(from, to);
    expect(answer.status).toBe(206);
    expect((await bytes(answer)).equals(part)).toBe(true);
    const first = from < 0 ? data.length + from : from;
    expect(answer.headers.get('content-range')).toBe(
      `bytes ${first}-${first + part.length - 1}/${data.length}`,
    );
    expect(answer.headers.get('content-length')).toBe(String(part.length));
  });

  test('refuses a range after its end, and sends all for several ranges and other units', async () => {
    const refused = await get({ range: `bytes=${data.length}-` });
    expect([refused.status, refused.headers.get('content-range')]).toEqual([416, `bytes */${data.length}`]);
    expect((await refused.json()).code).toBe('range_not_satisfiable');
    for (const range of ['bytes=0-1,5-6', 'pages=1-2', 'bytes=x']) {
      const answer = await get({ range });
      expect([answer.status, (await bytes(answer)).length]).toEqual([200, data.length]);
    }
  });

  test('is not sent again unchanged', async () => {
    const first = await get({}, 'HEAD');
    const [etag, modified] = ['etag', 'last-modified'].map((name) => first.headers.get(name) ?? '');
    expect(etag).toMatch(/^"/);
    for (const condition of [{ 'if-none-match': etag ?? '' }, { 'if-modified-since': modified ?? '' }]) {
      const answer = await get(condition);
      expect([answer.status, await answer.text()]).toEqual([304, '']);
    }
    expect((await get({ 'if-none-match': '"other"' })).status).toBe(200);
    expect((await get({ 'if-range': etag ?? '', range: 'bytes=0-0' })).status).toBe(206);
    expect((await get({ 'if-range': '"other"', range: 'bytes=0-0' })).status).toBe(200);
  });

  test('answers HEAD with the length and reads nothing', async () => {
    const answer = await get({}, 'HEAD');
    expect([answer.status, answer.headers.get('content-length')]).toEqual([200, String(data.length)]);
    // A range of it means nothing. [RFC 9110 14.2]
    const part = await get({ range: 'bytes=10-19' }, 'HEAD');
    expect([part.status, part.headers.get('content-length')]).toEqual([200, String(data.length)]);
  });
});

test('of a recording that is being written, whole fragments are sent', async () => {
  const start = began + 100 * second;
  const growing = await addFootage(door, { start, fragments: video.slice(0, 3), state: 'growing' });
  const path = pathOf(door.recordingsDir, growing);
  const whole = await readFile(path);
  const more = await addFootage(door, { start: start + second, fragments: video.slice(0, 4) });
  const next = (await readFile(pathOf(door.recordingsDir, more))).subarray(whole.length);
  const load = async () => bytes(await get({}, 'GET', `/api/recording/${growing}/video.mp4`));
  await appendFile(path, next.subarray(0, next.length - 1));
  expect((await load()).equals(whole)).toBe(true);
  await appendFile(path, next.subarray(next.length - 1));
  expect((await load()).equals(Buffer.concat([whole, next]))).toBe(true);
  const answer = await get({}, 'HEAD', `/api/recording/${growing}/video.mp4`);
  expect([answer.headers.get('etag'), answer.headers.get('last-modified')]).toEqual([null, null]);
});

describe('an id', () => {
  test.each(['..%2F..%2F2026-11-23_03-40-12_door', 'x', '2026-11-23_03-40-12_door.mp4'])(
    '%s is refused',
    async (bad) => {
      expect((await get({}, 'GET', `/api/recording/${bad}/video.mp4`)).status).toBe(400);
    },
  );

  test('that is nowhere is not found', async () => {
    const answer = await get({}, 'GET', '/api/recording/2026-11-23_03-40-12_nobody/video.mp4');
    expect([answer.status, (await answer.json()).code]).toEqual([404, 'not_found']);
  });

  test('does not lead out of the folder through a link, of a file or of a folder', async () => {
    const secret = join(door.folder, 'secret.mp4');
    await writeFile(secret, data);
    const linked = '2026-11-24_03-40-12_door';
    const path = pathOf(door.recordingsDir, linked);
    await mkdir(dirname(path), { recursive: true });
    await symlink(secret, path);
    expect((await get({}, 'GET', `/api/recording/${linked}/video.mp4`)).status).toBe(404);

    const day = join(door.recordingsDir, '2026/11/25');
    const outside = join(door.folder, 'outside');
    await mkdir(join(outside, 'door'), { recursive: true });
    await rename(secret, join(outside, 'door/2026-11-25_03-40-12_door.mp4'));
    await symlink(outside, day);
    expect((await get({}, 'GET', '/api/recording/2026-11-25_03-40-12_door/video.mp4')).status).toBe(404);
  });
});

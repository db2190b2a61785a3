import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import jpeg from 'jpeg-js';
import { beforeAll, describe, expect, test } from 'vitest';
import { launchChromium } from '../../support/chromium.ts';
import { atEnd } from '../../support/cleanup.ts';
import { addFootage, began, pathOf, second } from '../../support/footage.ts';
import { type FrontDoor, openFrontDoor, user } from '../../support/http-server.ts';
import { openPage } from '../../support/pages.ts';
import { fragmentsOf } from '../../support/recorded.ts';
import { mediaPackets, videoPackets } from '../../support/rtp.ts';

const run = promisify(execFile);
const bFrames = 'speed-preset=medium option-string=bframes=3:b-adapt=0:b-pyramid=normal';
const kinds = { plain: ['h264', {}], reordered: ['h264', { options: bFrames }], hevc: ['h265', {}] } as const;

let door: FrontDoor;
const ids: Record<string, string> = {};
beforeAll(async () => {
  door = await openFrontDoor();
  for (const [monitorID, [codec, options]] of Object.entries(kinds)) {
    const video = mediaPackets(await videoPackets(codec, { frames: 45, keyFrameEvery: 20, ...options }));
    ids[monitorID] = await addFootage(door, {
      monitorID,
      start: began,
      fragments: fragmentsOf({ codec, video }),
    });
  }
});

const ask = (monitor: string, search = '', headers: Record<string, string> = {}) =>
  door.fetch(`/api/recording/${ids[monitor]}/thumbnail.jpeg${search}`, { headers }, user);

/** Brightness of each pixel of the n-th frame, as ffmpeg decodes it. */
async function frame(monitor: string, n: number): Promise<Uint8Array> {
  const file = pathOf(door.recordingsDir, ids[monitor] ?? '', monitor);
  const filter = ['-vf', `select=eq(n\\,${n})`, '-frames:v', '1', '-f', 'rawvideo', '-pix_fmt', 'gray'];
  const { stdout } = await run('ffmpeg', ['-nostdin', '-v', 'error', '-i', file, ...filter, '-'], {
    encoding: 'buffer',
    maxBuffer: 1e7,
  });
  return stdout;
}

/** Mean difference of brightness between a JPEG and a frame. */
async function difference(picture: Response, expected: Uint8Array): Promise<number> {
  const { width, height, data } = jpeg.decode(Buffer.from(await picture.arrayBuffer()), { useTArray: true });
  expect([width, height]).toEqual([320, 240]);
  const sum = expected.reduce((total, value, at) => total + Math.abs(value - (data[at * 4 + 1] ?? 0)), 0);
  return sum / expected.length;
}

describe.each(Object.keys(kinds))('a recording of %s video', (monitor) => {
  test('has its first frame as its picture', async () => {
    const picture = await ask(monitor);
    expect([picture.status, picture.headers.get('content-type')]).toEqual([200, 'image/jpeg']);
    expect(await difference(picture, await frame(monitor, 0))).toBeLessThan(4);
    expect(
      existsSync(join(pathOf(door.recordingsDir, ids[monitor] ?? '', monitor), '..', `${ids[monitor]}.jpeg`)),
    ).toBe(true);
    const etag = picture.headers.get('etag') ?? '';
    expect((await ask(monitor, '', { 'if-none-match': etag })).status).toBe(304);
  });

  test.each([20, 27, 44])('has the frame of any time: the one with number %i', async (n) => {
    const at = (number: number) => ask(monitor, `?time=${began + number * (second / 10) + second / 20}`);
    const [own, other] = [await frame(monitor, n), await frame(monitor, n - 3)];
    const picture = await at(n);
    const copy = picture.clone();
    const found = await difference(picture, own);
    expect(found).toBeLessThan(4);
    expect(found).toBeLessThan(await difference(copy, other));
  });
});

test('too many at once are put off, and none is made of nothing', async () => {
  const answers = await Promise.all(
    Array.from({ length: 12 }, (_, n) => ask('plain', `?time=${began + n * 100_000}`)),
  );
  const put = answers.filter(({ status }) => status === 503);
  expect(put.length).toBeGreaterThan(0);
  expect(put[0]?.headers.get('retry-after')).toBe('2');
  expect(answers.filter(({ status }) => status === 200).length).toBe(12 - put.length);
  const nowhere = await door.fetch('/api/recording/2026-11-23_03-40-12_nobody/thumbnail.jpeg');
  expect(nowhere.status).toBe(404);
});

test('the picture of a moment is made once', async () => {
  const search = `?time=${began + 3 * second}`;
  const first = Buffer.from(await (await ask('hevc', search)).arrayBuffer());
  const file = pathOf(door.recordingsDir, ids['hevc'] ?? '', 'hevc');
  const recording = await readFile(file);
  await writeFile(file, Buffer.alloc(recording.length));
  atEnd(() => writeFile(file, recording));
  // The same frame, at another moment while it is shown.
  const again = await ask('hevc', `?time=${began + 3.05 * second}`);
  expect([again.status, Buffer.from(await again.arrayBuffer()).equals(first)]).toEqual([200, true]);
  expect((await ask('hevc', `?time=${began + 1.5 * second}`)).status).toBe(404);
});

test('over the timeline a browser decodes the same picture, also with B-frames, and asks for it where it cannot', async () => {
  for (const id of ['reordered', 'hevc']) {
    const monitor = { id, name: id, enable: false, alwaysRecord: false, videoLength: 15, source: 'test' };
    await door.change('PUT', '/api/monitor', { ...monitor, sourcetest: {} });
  }
  const browser = await launchChromium();
  const length = 5;
  const open = async (id: string) => {
    const span = `start=${began}&end=${began + length * second}`;
    const { page } = await openPage(browser, `${door.url}/recordings?monitor=${id}&${span}`, user);
    const rows = page.locator('.timeline-rows');
    await rows.waitFor();
    const { x, y, width, height } = (await rows.boundingBox()) ?? { x: 0, y: 0, width: 0, height: 0 };
    const hover = (seconds: number) => page.mouse.move(x + (width * seconds) / length, y + height / 2);
    return { page, hover };
  };
  const { page, hover } = await open('reordered');
  // The nearest key frame.
  for (const [seconds, keySeconds] of [
    [0.9, 0],
    [2.9, 2],
    [1.1, 2],
    [3.1, 4],
  ] as const) {
    await hover(seconds);
    const time = began + (keySeconds + 0.05) * second;
    const address = `/api/recording/${ids['reordered']}/thumbnail.jpeg?time=${time}`;
    await expect.poll(() => page.evaluate(isPreviewLike, address), { timeout: 30_000 }).toBe(true);
  }
  const other = await open('hevc');
  await other.hover(1);
  await other.page.locator('.scrub img[src*="thumbnail.jpeg?time="]').waitFor();
});

/** Runs in the page: whether the picture over the timeline is that of an address, but for the compression. */
async function isPreviewLike(address: string): Promise<boolean> {
  const shown = document.querySelector<HTMLCanvasElement>('.scrub canvas:not([hidden])');
  if (!shown || shown.width === 0) return false;
  const image = new Image();
  image.src = address;
  await image.decode();
  const pixels = (source: CanvasImageSource) => {
    const pen = new OffscreenCanvas(160, 120).getContext('2d');
    pen?.drawImage(source, 0, 0, 160, 120);
    return pen?.getImageData(0, 0, 160, 120).data ?? [];
  };
  const [a, b] = [pixels(shown), pixels(image)];
  let different = 0;
  for (let at = 0; at < a.length; at += 4) if (Math.abs((a[at] ?? 0) - (b[at] ?? 0)) > 60) different += 1;
  // The ball alone is two hundred.
  return different < 40;
}

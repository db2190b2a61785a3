import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { launchChromium } from '../support/chromium.ts';
import { atEnd } from '../support/cleanup.ts';
import { temporaryFolder } from '../support/folder.ts';
import { admin, openFrontDoor } from '../support/http-server.ts';
import { rtspMonitor } from '../support/monitors.ts';
import { byPicture, startPacedCamera } from '../support/paced-camera.ts';
import { openPage } from '../support/pages.ts';
import { startRecorder } from '../support/recorder.ts';
import { packetsOf } from '../support/rtp.ts';
import { endUs, fillMonth, monitors } from './month.ts';

/** What a viewer sees in a real browser: how late, and how smooth. */

const run = promisify(execFile);
const rate = 15;
/** Visits with nothing in the cache. */
const rounds = 8;
const clipSeconds = 100;
/** A picture carries its number as black and white columns, the lowest bit first. */
const bits = 16;

const at = (values: readonly number[], part: number) =>
  [...values].sort((a, b) => a - b)[Math.floor((values.length - 1) * part)] ?? 0;
const figures = (values: readonly number[]) =>
  `p50 ${at(values, 0.5).toFixed(0)} ms, p95 ${at(values, 0.95).toFixed(0)} ms, max ${at(values, 1).toFixed(0)} ms of ${values.length}`;

test('camera to screen, and the first picture', async () => {
  const path = join(await temporaryFolder(), 'numbered.mp4');
  const columns = `nullsrc=s=${bits}x2:r=${rate}:d=${clipSeconds},format=gray,geq=lum='255*mod(floor(N/pow(2\\,X))\\,2)'`;
  await run('ffmpeg', [
    ...['-nostdin', '-loglevel', 'error', '-f', 'lavfi'],
    ...['-i', `${columns},scale=1280:720:flags=neighbor,noise=alls=12:allf=t,format=yuv420p`],
    ...['-c:v', 'libx264', '-preset', 'ultrafast', '-tune', 'zerolatency', '-b:v', '2M', '-maxrate', '2M'],
    ...['-bufsize', '1M', '-g', String(2 * rate), path],
  ]);
  const line = `filesrc location=${path} ! qtdemux ! h264parse ! rtph264pay config-interval=-1`;
  const camera = await startPacedCamera({
    pictures: byPicture(await packetsOf(line)),
    periodMs: 1000 / rate,
  });
  const recorder = await startRecorder({
    monitors: [rtspMonitor('door', [camera.url()], { alwaysRecord: true })],
  });
  const browser = await launchChromium();
  // The first visit of a browser starts a process and loads everything; the others are those of a tab that has the files.
  const first: number[] = [];
  const again: number[] = [];
  const bare = { url: await servePlainVideo(path), first: [] as number[], again: [] as number[] };
  for (let round = 0; round < rounds; round += 1) {
    const plain = await openPage(browser, bare.url, null);
    bare.first.push(await firstPictureMs(plain.page));
    await plain.page.waitForTimeout(500);
    await plain.page.reload();
    bare.again.push(await firstPictureMs(plain.page));
    await plain.close();
    const { page, close } = await openPage(browser, `${recorder.url}/live?monitor=door`, recorder.admin);
    first.push(await firstPictureMs(page));
    for (let visit = 0; visit < 4; visit += 1) {
      await page.waitForTimeout(500);
      await page.reload();
      again.push(await firstPictureMs(page));
    }
    await close();
  }
  console.log(`from the navigation to the first picture, nothing in the cache: ${figures(first)}`);
  console.log(`from the navigation to the first picture, files in the cache: ${figures(again)}`);
  console.log(`a page with nothing but a file of the same video: ${figures(bare.first)}`);
  console.log(`the same, reloaded: ${figures(bare.again)}`);
  const { page } = await openPage(browser, `${recorder.url}/live?monitor=door`, recorder.admin);
  await page.locator('[data-mood="playing"]').waitFor();
  await page.waitForTimeout(5000);
  const seen = await page.evaluate(watchNumbers, { bits, forMs: 15_000 });
  const delays = seen.flatMap(([number, nowMs]) => {
    const sentUs = camera.sentUs[number];
    return sentUs === undefined ? [] : [nowMs - sentUs / 1000];
  });
  console.log(`from the camera's socket to the screen: ${figures(delays)} pictures`);
  expect(delays.length).toBeGreaterThan(100);
});

/** @returns the address of a page that is the least a browser can be given to show a video: what it needs by itself. */
async function servePlainVideo(path: string): Promise<string> {
  const file = await readFile(path);
  const page = '<!doctype html><title>video</title><video src="/video.mp4" autoplay muted></video>';
  const server = createServer((request, response) => {
    const isVideo = request.url === '/video.mp4';
    response.writeHead(200, { 'content-type': isVideo ? 'video/mp4' : 'text/html' });
    response.end(isVideo ? file : page);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  atEnd(async () => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

/** Milliseconds from the beginning of the navigation. */
const firstPictureMs = (page: Page) =>
  page.evaluate(
    () =>
      new Promise<number>((resolve) => {
        const look = () => {
          const video = document.querySelector('video');
          if (!video) requestAnimationFrame(look);
          else video.requestVideoFrameCallback((now) => resolve(now));
        };
        look();
      }),
  );

/** Runs in the page. @returns the numbers of pictures, and when each came to the screen: Unix time in milliseconds. */
async function watchNumbers({ bits, forMs }: { readonly bits: number; readonly forMs: number }) {
  const video = document.querySelector('video') as HTMLVideoElement;
  const canvas = new OffscreenCanvas(bits, 1);
  const pen = canvas.getContext('2d', { willReadFrequently: true });
  const seen: [number: number, nowMs: number][] = [];
  const began = performance.now();
  await new Promise<void>((resolve) => {
    const next = () => {
      const nowMs = Date.now();
      pen?.drawImage(video, 0, video.videoHeight / 4, video.videoWidth, 2, 0, 0, bits, 1);
      const { data } = pen?.getImageData(0, 0, bits, 1) ?? { data: [] };
      let number = 0;
      for (let bit = 0; bit < bits; bit += 1) if ((data[bit * 4] ?? 0) > 127) number += 2 ** bit;
      seen.push([number, nowMs]);
      if (performance.now() - began > forMs) resolve();
      else video.requestVideoFrameCallback(next);
    };
    video.requestVideoFrameCallback(next);
  });
  return seen;
}

test('the timeline of a month, dragged on a processor that is four times slower', async () => {
  const door = await openFrontDoor();
  for (let index = 0; index < monitors; index += 1) {
    const monitor = { id: `camera${index}`, name: `Camera ${index}`, enable: false, alwaysRecord: false };
    const more = { videoLength: 15, source: 'test', sourcetest: {} };
    expect((await door.change('PUT', '/api/monitor', { ...monitor, ...more })).status).toBe(201);
  }
  await fillMonth(door);
  const browser = await launchChromium();
  const { page } = await openPage(browser, door.url, admin);
  const spans = { 'a month': 30 * 86_400e6, 'a day': 86_400e6, 'an hour': 3600e6 };
  const devtools = await page.context().newCDPSession(page);
  let [largest, path] = [0, ''];
  page.on('response', async (response) => {
    // Of a request that was ended there is no body.
    const { length } = await response.body().catch(() => '');
    if (response.url().includes('/api/') && length > largest) [largest, path] = [length, response.url()];
  });
  for (const [name, length] of Object.entries(spans)) {
    const end = endUs - 3600e6;
    await page.goto(`${door.url}/recordings?day=2026-01-01&start=${end - length}&end=${end}`);
    await page.locator('.legend button').first().waitFor();
    await page.waitForTimeout(1500);
    await devtools.send('Emulation.setCPUThrottlingRate', { rate: 4 });
    const box = await page.locator('.timeline-rows').boundingBox();
    if (!box) throw new Error('no timeline');
    const [y, left, right] = [box.y + box.height / 2, box.x + 100, box.x + box.width - 100];
    await page.mouse.move(left, y);
    await page.mouse.down();
    const watching = page.evaluate(watchFrames, 4000);
    for (let turn = 0; turn < 4; turn += 1)
      await page.mouse.move(turn % 2 === 0 ? right : left, y, { steps: 60 });
    const frames = await watching;
    await page.mouse.up();
    await devtools.send('Emulation.setCPUThrottlingRate', { rate: 1 });
    const perSecond = 1000 / (frames.reduce((sum, each) => sum + each, 0) / frames.length);
    const late = frames.filter((each) => each > 25).length;
    console.log(
      `dragging ${name}: ${perSecond.toFixed(1)} frames/s, ${late} of ${frames.length} late; ${figures(frames)} frames`,
    );
  }
  await page.getByRole('button', { name: 'Show older ones' }).click();
  await page.waitForTimeout(3000);
  console.log(`largest answer of the API: ${largest} bytes, ${path}`);
});

/** Runs in the page. @returns milliseconds between frames. */
async function watchFrames(forMs: number): Promise<number[]> {
  const times: number[] = [];
  const began = performance.now();
  await new Promise<void>((resolve) => {
    const next = (now: number) => {
      times.push(now);
      if (now - began > forMs) resolve();
      else requestAnimationFrame(next);
    };
    requestAnimationFrame(next);
  });
  return times.slice(1).map((time, index) => time - (times[index] ?? time));
}

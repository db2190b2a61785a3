import { join } from 'node:path';
import { type Browser, chromium } from 'playwright-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { logInBrowser } from '../../support/chromium.ts';
import { atEnd } from '../../support/cleanup.ts';
import { addFootage, began, pathOf, second } from '../../support/footage.ts';
import { admin, type FrontDoor, openFrontDoor, user } from '../../support/http-server.ts';
import { makeVideo, video } from '../../support/pipeline-recorder.ts';

let door: FrontDoor;
let ids: string[];
beforeAll(async () => {
  [door] = await Promise.all([openFrontDoor(), makeVideo()]);
  ids = [
    await addFootage(door, { start: began, fragments: video.slice(0, 10) }),
    await addFootage(door, { start: began + 10 * second, fragments: video.slice(10, 20) }),
    // After a gap.
    await addFootage(door, { start: began + 60 * second, fragments: video.slice(20, 30) }),
  ];
});

const ask = (from: number, to: number, monitor = 'door') =>
  door.fetch(
    `/api/monitor/${monitor}/playlist.m3u8?start=${began + from * second}&end=${began + to * second}`,
    {},
    user,
  );

interface Segment {
  readonly file: string;
  readonly seconds: number;
  readonly from: number;
  readonly bytes: number;
}

function segmentsOf(playlist: string): Segment[] {
  const pattern = /#EXTINF:([\d.]+),\n#EXT-X-BYTERANGE:(\d+)@(\d+)\n(.+)/g;
  return [...playlist.matchAll(pattern)].map(([, seconds, bytes, from, file = '']) => ({
    ...{ file, seconds: Number(seconds), from: Number(from), bytes: Number(bytes) },
  }));
}

describe('the playlist', () => {
  test('has byte ranges that follow each other, from key frame to key frame', async () => {
    const answer = await ask(0, 10);
    expect(answer.headers.get('content-type')).toBe('application/vnd.apple.mpegurl');
    const playlist = await answer.text();
    const segments = segmentsOf(playlist);
    expect(segments.map(({ seconds }) => seconds)).toEqual([4, 4, 2]);
    const [, init = ''] = /#EXT-X-MAP:URI="[^"]+",BYTERANGE="(\d+)@0"/.exec(playlist) ?? [];
    let at = Number(init);
    for (const { from, bytes, file } of segments) {
      expect([file, from]).toEqual([`../../recording/${ids[0]}/video.mp4`, at]);
      at += bytes;
    }
    const whole = await door.fetch(`/api/recording/${ids[0]}/video.mp4`, { method: 'HEAD' });
    expect(whole.headers.get('content-length')).toBe(String(at));
    expect(playlist).toContain(`#EXT-X-PROGRAM-DATE-TIME:${new Date(began / 1000).toISOString()}`);
    expect(playlist).toMatch(/^#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:4\n/);
    expect(playlist).toMatch(/#EXT-X-ENDLIST\n$/);
  });

  test('marks file borders and gaps, with the time after them', async () => {
    const playlist = await (await ask(0, 100)).text();
    const [first = '', ...others] = playlist.split('#EXT-X-DISCONTINUITY\n');
    expect(others).toHaveLength(2);
    const at = (seconds: number) =>
      `#EXT-X-PROGRAM-DATE-TIME:${new Date(began / 1000 + seconds * 1000).toISOString()}`;
    expect([first.includes(at(0)), others[0]?.includes(at(10)), others[1]?.includes(at(60))]).toEqual(
      Array(3).fill(true),
    );
    for (const [index, part] of [first, ...others].entries())
      expect(part).toContain(`#EXT-X-MAP:URI="../../recording/${ids[index]}/video.mp4"`);
  });

  test('begins with the key frame before the span and ends with it', async () => {
    const playlist = await (await ask(5.5, 12.5)).text();
    expect(segmentsOf(playlist).map(({ seconds }) => seconds)).toEqual([4, 2, 4]);
    expect(playlist).toContain(new Date(began / 1000 + 4000).toISOString());
  });

  test('is not found where nothing was recorded, and refuses spans that are none', async () => {
    expect((await ask(30, 50)).status).toBe(404);
    expect((await ask(0, 10, 'nobody')).status).toBe(404);
    for (const span of [ask(10, 10), ask(10, 5), ask(0, 86_401)]) {
      const answer = await span;
      expect([answer.status, (await answer.json()).pointer]).toEqual([400, '/end']);
    }
    expect((await door.fetch('/api/monitor/door/playlist.m3u8')).status).toBe(400);
  });
});

test('a browser plays the playlist across a file border and a gap', async () => {
  const browser: Browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--mute-audio'],
  });
  atEnd(() => browser.close());
  const context = await browser.newContext({ ignoreHTTPSErrors: true });
  await logInBrowser(context, door.url, admin);
  const page = await context.newPage();
  await page.goto(`${door.url}/api`);
  const found = await page.evaluate(
    async (source) => {
      const player = document.createElement('video');
      player.muted = true;
      player.src = source;
      document.body.append(player);
      const wait = (event: string) =>
        new Promise((resolve, reject) => {
          player.addEventListener(event, resolve, { once: true });
          player.addEventListener('error', () => reject(new Error(player.error?.message)), { once: true });
        });
      await wait('loadedmetadata');
      player.playbackRate = 8;
      const ended = wait('ended');
      await player.play();
      await ended;
      const { totalVideoFrames } = player.getVideoPlaybackQuality();
      return { seconds: player.currentTime, width: player.videoWidth, totalVideoFrames };
    },
    `${door.url}/api/monitor/door/playlist.m3u8?start=${began}&end=${began + 100 * second}`,
  );
  expect(found.width).toBe(320);
  expect(found.seconds).toBeCloseTo(30, 0);
  expect(found.totalVideoFrames).toBeGreaterThan(200);
});

test('an index is kept beside its recording once that is complete, and is not trusted blindly', async () => {
  const { readFile, stat, utimes, writeFile } = await import('node:fs/promises');
  const start = began + 1000 * second;
  const id = await addFootage(door, { start, fragments: video.slice(0, 10), monitorID: 'kept' });
  const path = pathOf(door.recordingsDir, id, 'kept');
  const beside = join(path, '..', `${id}.idx`);
  await utimes(path, 1_700_000_000, 1_700_000_000);
  const load = async () => (await ask(1000, 1100, 'kept')).text();
  const playlist = await load();
  expect(segmentsOf(playlist)).toHaveLength(3);
  const index = await readFile(beside);
  expect(index.length).toBeLessThan((await stat(path)).size / 4);

  // Another server, which has nothing in memory.
  const { FragmentIndexes } = await import('../../../store/recordings/fragments/fragment-indexes.ts');
  const { RecordingFiles } = await import('../../../store/recordings/files/recording-files.ts');
  const files = new RecordingFiles(door.recordingsDir);
  const read = async () => {
    const recording = await files.open(id);
    if (!recording) throw new Error('no recording');
    const found = await new FragmentIndexes(files).of(id, recording);
    await recording.handle.close();
    return found?.fragments.map(({ offset }) => offset);
  };
  const offsets = await read();
  expect(offsets).toHaveLength(10);
  for (const damaged of [Buffer.alloc(100), index.subarray(0, 700), index.subarray(0, -3)]) {
    await writeFile(beside, damaged);
    expect(await read()).toEqual(offsets);
  }
  expect((await readFile(beside)).equals(index)).toBe(true);
});

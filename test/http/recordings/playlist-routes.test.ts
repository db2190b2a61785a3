import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import type { MediaFragment } from '../../../pipelines/mp4/media-fragment.ts';
import { launchChromium, logInBrowser } from '../../support/chromium.ts';
import { addFootage, began, pathOf, second } from '../../support/footage.ts';
import { admin, type FrontDoor, openFrontDoor, user } from '../../support/http-server.ts';
import { makeVideo, video } from '../../support/pipeline-recorder.ts';
import { fragmentsOf } from '../../support/recorded.ts';
import { mediaPackets, packetsOf, videoPackets } from '../../support/rtp.ts';

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

const ask = (from: number, to: number, monitor = 'door', headers: Record<string, string> = {}) =>
  door.fetch(
    `/api/monitor/${monitor}/playlist.m3u8?start=${began + from * second}&end=${began + to * second}`,
    { headers },
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
    const known = { 'if-none-match': answer.headers.get('etag') ?? '' };
    expect((await ask(0, 10, 'door', known)).status).toBe(304);
    expect((await ask(0, 14, 'door', known)).status).toBe(200);
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

  test('has the key frames alone for those who ask for them, each to be read by itself', async () => {
    const address = (to: number) =>
      `/api/monitor/door/playlist.m3u8?start=${began + 3 * second}&end=${began + to * second}&frames=key`;
    const playlist = await (await door.fetch(address(9), {}, user)).text();
    expect(playlist).toContain('\n#EXT-X-I-FRAMES-ONLY\n');
    const frames = segmentsOf(playlist);
    expect(frames.map(({ seconds }) => seconds)).toEqual([2, 2, 2, 2]);
    const [frame] = frames.slice(1);
    const { from = 0, bytes = 0 } = frame ?? {};
    const headers = { Range: `bytes=${from}-${from + bytes - 1}` };
    const read = await door.fetch(`/api/recording/${ids[0]}/video.mp4`, { headers }, user);
    const found = Buffer.from(await read.arrayBuffer());
    const expected = video[4]?.video[0]?.data ?? Buffer.alloc(1);
    expect(found.subarray(4, 8).toString()).toBe('moof');
    expect(found.subarray(-expected.length).equals(expected)).toBe(true);
    expect((await door.fetch(address(3604), {}, user)).status).toBe(400);
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

test('a browser plays the playlist with its sound across a file border and a gap', async () => {
  const line =
    'audiotestsrc wave=white-noise num-buffers=313 ! audio/x-raw,rate=16000,channels=1 ! avenc_aac ! rtpmp4gpay';
  const heard = fragmentsOf({
    video: mediaPackets(await videoPackets('h264', { frames: 200, keyFrameEvery: 20 })),
    audio: mediaPackets(await packetsOf(line), 16_000),
  });
  const [border, gap, length] = [6, 10, 20];
  const secondsTo = ({ shownUs }: MediaFragment) => (shownUs - (heard[0]?.shownUs ?? 0)) / second;
  const add = (from: number, to: number, start = from) =>
    addFootage(door, {
      ...{ monitorID: 'heard', start: began + start * second },
      fragments: heard.filter((one) => secondsTo(one) > from - 0.01 && secondsTo(one) < to - 0.01),
    });
  await add(0, border);
  await add(border, gap);
  await add(gap, length, 60);
  const soundBytes = heard.flatMap(({ audio }) => audio).reduce((sum, { data }) => sum + data.length, 0);

  const browser = await launchChromium();
  const context = await browser.newContext({ ignoreHTTPSErrors: true });
  await logInBrowser(context, door.url, admin);
  const page = await context.newPage();
  await page.goto(`${door.url}/api`);
  const found = await page.evaluate(
    async (source) => {
      const player = document.createElement('video') as HTMLVideoElement & {
        readonly webkitAudioDecodedByteCount: number;
      };
      player.src = source;
      document.body.append(player);
      const wait = (event: string) =>
        new Promise((resolve, reject) => {
          player.addEventListener(event, resolve, { once: true });
          player.addEventListener('error', () => reject(new Error(player.error?.message)), { once: true });
        });
      await wait('loadedmetadata');
      player.playbackRate = 2;
      const shown: { readonly seconds: number; readonly soundBytes: number }[] = [];
      const look: VideoFrameRequestCallback = (_, { mediaTime }) => {
        shown.push({ seconds: mediaTime, soundBytes: player.webkitAudioDecodedByteCount });
        player.requestVideoFrameCallback(look);
      };
      player.requestVideoFrameCallback(look);
      const ended = wait('ended');
      await player.play();
      await ended;
      const { totalVideoFrames } = player.getVideoPlaybackQuality();
      const { videoWidth: width, currentTime: seconds, webkitAudioDecodedByteCount: bytes } = player;
      return { seconds, width, totalVideoFrames, shown, soundBytes: bytes };
    },
    `${door.url}/api/monitor/heard/playlist.m3u8?start=${began}&end=${began + 100 * second}`,
  );
  expect(found.width).toBe(320);
  expect(found.seconds).toBeCloseTo(length, 0);
  expect(found.totalVideoFrames).toBeGreaterThan(150);
  // The frames after the gap, and what had been decoded of the sound when they were on the screen.
  const after = found.shown.filter(({ seconds }) => seconds > gap);
  const times = after.map(({ seconds }) => seconds);
  expect(times).toEqual(times.toSorted((a, b) => a - b));
  expect(new Set(times).size).toBeGreaterThan(3);
  expect(times.at(-1)).toBeGreaterThan((gap + length) / 2);
  expect(found.soundBytes).toBeGreaterThan(after[0]?.soundBytes ?? Infinity);
  expect(found.soundBytes).toBeGreaterThan(0.9 * soundBytes);
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

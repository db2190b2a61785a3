import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { chromium } from 'playwright-core';
import { beforeAll, describe, expect, test } from 'vitest';
import type { MediaFragment } from '../../../pipelines/mp4/media-fragment.ts';
import { logInBrowser } from '../../support/chromium.ts';
import { atEnd } from '../../support/cleanup.ts';
import { addFootage, began, pathOf, second } from '../../support/footage.ts';
import { expectClip } from '../../support/gst-discoverer.ts';
import { admin, type FrontDoor, openFrontDoor, user } from '../../support/http-server.ts';
import { decode } from '../../support/probe.ts';
import { fragmentsOf } from '../../support/recorded.ts';
import { mediaPackets, packetsOf, videoPackets } from '../../support/rtp.ts';

const run = promisify(execFile);
const bFrames = 'speed-preset=medium option-string=bframes=3:b-adapt=0:b-pyramid=normal';

/** 20 s at 10 frames/s, a key frame every 2 s. */
async function footage(options: { options?: string; width?: number; sound?: boolean } = {}) {
  const { sound = true, ...encoding } = options;
  const video = mediaPackets(await videoPackets('h264', { frames: 200, keyFrameEvery: 20, ...encoding }));
  const line = `audiotestsrc wave=white-noise num-buffers=313 ! audio/x-raw,rate=16000,channels=1 ! avenc_aac ! rtpmp4gpay`;
  const audio = sound ? mediaPackets(await packetsOf(line), 16_000) : [];
  return fragmentsOf({ video, audio });
}

interface Packet {
  readonly kind: string;
  readonly seconds: number;
  readonly hash: string;
}

/** What is shown and heard, in the order of time. */
async function packetsIn(file: string): Promise<Packet[]> {
  const entries = ['-show_entries', 'packet=codec_type,pts_time,flags,data_hash', '-show_data_hash', 'md5'];
  const { stdout } = await run('ffprobe', ['-v', 'error', ...entries, '-of', 'json', file], {
    maxBuffer: 1e8,
  });
  const { packets } = JSON.parse(stdout) as {
    packets: { codec_type: string; pts_time: string; flags: string; data_hash: string }[];
  };
  return packets
    .filter(({ flags }) => !flags.includes('D'))
    .map((packet) => ({ kind: packet.codec_type, seconds: Number(packet.pts_time), hash: packet.data_hash }))
    .sort((a, b) => a.seconds - b.seconds);
}

const monitors = ['plain', 'reordered'] as const;
const gapSeconds = 40;
let door: FrontDoor;
const ids: Record<string, string[]> = {};
beforeAll(async () => {
  door = await openFrontDoor();
  for (const monitorID of monitors) {
    const made = await footage(monitorID === 'reordered' ? { options: bFrames } : {});
    const secondsTo = ({ shownUs }: MediaFragment) => (shownUs - (made[0]?.shownUs ?? 0)) / second;
    /** Files begin at key frames, however long the fragments are. */
    const add = (from: number, to: number, gap = 0) =>
      addFootage(door, {
        ...{ monitorID, start: began + (from + gap) * second },
        fragments: made.filter((one) => secondsTo(one) > from - 0.01 && secondsTo(one) < to - 0.01),
      });
    // The second file follows at once, the third after a gap.
    ids[monitorID] = [await add(0, 8), await add(8, 14), await add(14, 20, gapSeconds)];
    // One file, whose fragments say that time went by 10 % slower than in its media.
    const timeOf = (one: MediaFragment) => began + 1.1 * secondsTo(one) * second;
    const slewed = { monitorID: `${monitorID}Slewed`, start: began, fragments: made, timeOf };
    ids[slewed.monitorID] = [await addFootage(door, slewed)];
  }
});

const address = (from: number, to: number, monitor: string) =>
  `/api/monitor/${monitor}/clip.mp4?start=${began + from * second}&end=${began + to * second}`;
const ask = (from: number, to: number, monitor: string, headers: Record<string, string> = {}) =>
  door.fetch(address(from, to, monitor), { headers }, user);

async function clip(from: number, to: number, monitor: string, audio: 0 | 1 = 1): Promise<string> {
  const answer = await ask(from, to, monitor);
  expect(answer.status).toBe(200);
  const path = join(door.folder, `clip-${monitor}-${from}-${to}.mp4`);
  const data = Buffer.from(await answer.arrayBuffer());
  expect(answer.headers.get('content-length')).toBe(String(data.length));
  await writeFile(path, data);
  await expectClip(path, audio);
  return path;
}

/** What the monitor's files have of a time, with seconds since its beginning when gaps are left out. */
async function recorded(monitor: string, from: number, to: number): Promise<Packet[]> {
  const all: Packet[] = [];
  for (const [index, id] of (ids[monitor] ?? []).entries()) {
    const packets = await packetsIn(pathOf(door.recordingsDir, id, monitor));
    const origin = Math.min(...packets.filter(({ kind }) => kind === 'video').map(({ seconds }) => seconds));
    const begin = [0, 8, 14][index] ?? 0;
    all.push(...packets.map((packet) => ({ ...packet, seconds: packet.seconds - origin + begin })));
  }
  const wanted = all.filter(({ seconds }) => seconds > from - 1e-3 && seconds < to - 1e-3);
  return wanted.map((packet) => ({ ...packet, seconds: packet.seconds - from }));
}

const videoOf = (packets: readonly Packet[]) => packets.filter(({ kind }) => kind === 'video');
const audioOf = (packets: readonly Packet[]) => packets.filter(({ kind }) => kind === 'audio');

describe.each(monitors)('a clip of %s video', (monitor) => {
  test.each([
    ['within one file, between key frames', 2.5, 5.3],
    ['from key frame to key frame', 2, 6],
    ['of a single frame', 3.3, 3.4],
    ['across two files', 6.7, 11.2],
  ])('%s has exactly the frames of its time', async (_, from, to) => {
    const path = await clip(from, to, monitor);
    const [found, expected] = [await packetsIn(path), await recorded(monitor, from, to)];
    expect(videoOf(found).map(({ hash }) => hash)).toEqual(videoOf(expected).map(({ hash }) => hash));
    for (const [index, { seconds }] of videoOf(found).entries()) expect(seconds).toBeCloseTo(index / 10, 3);
    expect(await decode(path)).toEqual({ frames: Math.round((to - from) * 10), errors: '' });
  });

  test('has its sound in step, across files and a gap that is left out', async () => {
    const path = await clip(6.7, gapSeconds + 17.2, monitor);
    const [found, expected] = [await packetsIn(path), await recorded(monitor, 6.7, 17.2)];
    expect(videoOf(found).map(({ hash }) => hash)).toEqual(videoOf(expected).map(({ hash }) => hash));
    const heard = new Map(audioOf(expected).map(({ hash, seconds }) => [hash, seconds]));
    expect(audioOf(found).length).toBeGreaterThan(audioOf(expected).length - 4);
    for (const { hash, seconds } of audioOf(found).slice(2)) {
      expect(heard.get(hash)).toBeDefined();
      expect(Math.abs(seconds - (heard.get(hash) ?? 0))).toBeLessThan(0.002);
    }
    expect(await decode(path)).toEqual({ frames: 105, errors: '' });
  });

  test('begins where recording began, and ends where it ended', async () => {
    const path = await clip(-5, 7.95, monitor);
    expect((await decode(path)).frames).toBe(80);
    expect((await decode(await clip(gapSeconds + 19, gapSeconds + 900, monitor))).frames).toBe(10);
  });

  test('is cut where the fragments themselves say that its time was', async () => {
    const path = await clip(5.5, 12.1, `${monitor}Slewed`);
    const expected = await recorded(`${monitor}Slewed`, 5, 11);
    expect(videoOf(await packetsIn(path)).map(({ hash }) => hash)).toEqual(
      videoOf(expected).map(({ hash }) => hash),
    );
    const playlist = await door.fetch(
      `/api/monitor/${monitor}Slewed/playlist.m3u8?start=${began}&end=${began + 20 * second}`,
      {},
      user,
    );
    const times = [...(await playlist.text()).matchAll(/#EXT-X-PROGRAM-DATE-TIME:(.+)/g)].map(
      ([, time = '']) => (Date.parse(time) - began / 1000) / 1000,
    );
    expect(times.map((time) => time.toFixed(1))).toEqual(['0.0', '4.4', '8.8', '13.2', '17.6']);
  });

  test('is read by GStreamer, too', async () => {
    const path = await clip(6.7, 11.2, monitor);
    const frames = join(door.folder, `frames-${monitor}`);
    const line = `filesrc location=${path} ! qtdemux ! h264parse ! avdec_h264 ! filesink location=${frames}`;
    await run('/usr/bin/env', ['gst-launch-1.0', '-q', ...line.split(' ')]);
    // As a demuxer does, qtdemux hands on what is before the span for decoding; a sink clips it.
    expect((await readFile(frames)).length).toBeGreaterThanOrEqual(45 * 320 * 240 * 1.5);
  });
});

test('a browser plays a clip from its first frame to its last', async () => {
  const browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--mute-audio'],
  });
  atEnd(() => browser.close());
  const context = await browser.newContext({ ignoreHTTPSErrors: true });
  await logInBrowser(context, door.url, admin);
  const page = await context.newPage();
  await page.goto(`${door.url}/api`);
  for (const monitor of monitors) {
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
        await wait('loadeddata');
        const first = await new Promise<number>((resolve) => {
          player.requestVideoFrameCallback((_, { mediaTime }) => resolve(mediaTime));
        });
        const { duration } = player;
        player.currentTime = 3.05;
        await wait('seeked');
        player.playbackRate = 2;
        const ended = wait('ended');
        await player.play();
        await ended;
        return { first, duration, seconds: player.currentTime };
      },
      door.url + address(6.7, 11.2, monitor),
    );
    expect(found.first).toBeCloseTo(0, 2);
    expect(found.duration).toBeCloseTo(4.5, 1);
    expect(found.seconds).toBeCloseTo(4.5, 1);
  }
});

test('ranges of a clip are parts of it, and it is not sent again unchanged', async () => {
  const path = await clip(1.3, 13, 'plain');
  const whole = await readFile(path);
  const pieces: Buffer[] = [];
  for (let at = 0; at < whole.length; at += 50_000) {
    const part = await ask(1.3, 13, 'plain', { range: `bytes=${at}-${at + 49_999}` });
    expect(part.status).toBe(206);
    pieces.push(Buffer.from(await part.arrayBuffer()));
  }
  expect(Buffer.concat(pieces).equals(whole)).toBe(true);
  const head = await door.fetch(address(1.3, 13, 'plain'), { method: 'HEAD' }, user);
  expect(head.headers.get('content-length')).toBe(String(whole.length));
  const etag = head.headers.get('etag') ?? '';
  expect((await ask(1.3, 13, 'plain', { 'if-none-match': etag })).status).toBe(304);
  expect((await ask(1.4, 13, 'plain', { 'if-none-match': etag })).status).toBe(200);
  expect(head.headers.get('content-disposition')).toMatch(/filename="plain_2026-11-23_\d\d-40-13\.mp4"/);
});

test('where the picture changes there is no one file, and the answer says when', async () => {
  const large = await footage({ width: 640, sound: false });
  const small = await footage({ sound: false });
  const monitorID = 'changing';
  await addFootage(door, { monitorID, start: began, fragments: small.slice(0, 4) });
  await addFootage(door, { monitorID, start: began + 4 * second, fragments: large.slice(0, 4) });
  const refused = await ask(0, 8, monitorID);
  expect([refused.status, await refused.json()]).toEqual([
    409,
    expect.objectContaining({ code: 'conflict', pointer: '/end', changes: [began + 4 * second] }),
  ]);
  expect((await decode(await clip(1, 4, monitorID, 0))).frames).toBe(30);
  expect((await decode(await clip(4, 6, monitorID, 0))).frames).toBe(20);
});

test('there is no clip of a time in which nothing was recorded, nor of one that is none', async () => {
  expect((await ask(22, 30, 'plain')).status).toBe(404);
  expect((await ask(0, 5, 'nobody')).status).toBe(404);
  for (const span of [ask(5, 5, 'plain'), ask(0, 43_201, 'plain')]) expect((await span).status).toBe(400);
});

import { execFile } from 'node:child_process';
import { stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { chromium } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import type { MediaPacket } from '../../../pipelines/depayload/media-packet.ts';
import { movieFragment } from '../../../pipelines/mp4/movie-fragment.ts';
import { atEnd } from '../../support/cleanup.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { decode, probe } from '../../support/probe.ts';
import { fileBytes, fragmentsOf, writeFragments } from '../../support/recorded.ts';
import { mediaPackets, packetsOf, videoPackets } from '../../support/rtp.ts';

const run = promisify(execFile);
const bFrames = 'speed-preset=medium option-string=bframes=3:b-adapt=0:b-pyramid=normal';

const audioPackets = async (seconds: number): Promise<MediaPacket[]> => {
  const buffers = Math.ceil((seconds * 16_000) / 1024);
  const line = `audiotestsrc num-buffers=${buffers} ! audio/x-raw,rate=16000,channels=1 ! avenc_aac ! rtpmp4gpay`;
  return mediaPackets(await packetsOf(line), 16_000);
};

const streamTypes = async (path: string) => {
  const { stdout } = await run('ffprobe', [
    '-v',
    'error',
    '-show_entries',
    'stream=codec_name',
    '-of',
    'csv=p=0',
    path,
  ]);
  return stdout.trim().split('\n');
};

describe('a recording', () => {
  test.each([
    ['h264', {}],
    ['h264', { options: bFrames }],
    ['h264', { rate: 1, frames: 20, keyFrameEvery: 5, options: bFrames }],
    ['h264', { options: 'interlaced=true' }],
    ['h265', {}],
    ['h265', { options: 'speed-preset=medium' }],
  ] as const)('of %s, %o, holds every picture, and tools agree on it', async (codec, options) => {
    const { frames = 60, rate = 10 } = options as { frames?: number; rate?: number };
    const fragments = fragmentsOf({
      codec,
      video: mediaPackets(await videoPackets(codec, { frames, ...options })),
    });
    const path = await writeFragments(fragments);
    expect(await decode(path)).toEqual({ frames, errors: '' });
    const { errors, packets } = await probe(path);
    expect(errors).toBe('');
    const times = packets.map(({ time }) => time).sort((a, b) => a - b);
    for (const [n, time] of times.entries()) expect(time - (times[0] ?? 0)).toBeCloseTo(n / rate, 3);
    const decoded = join(await temporaryFolder(), 'decoded');
    const line = `filesrc location=${path} ! qtdemux ! ${codec}parse ! avdec_${codec} ! filesink location=${decoded}`;
    await run('/usr/bin/env', ['gst-launch-1.0', '-q', ...line.split(' ')]);
    expect((await stat(decoded)).size).toBe(frames * 320 * 240 * 1.5);
  });

  test('has fragments of a second, and one at each key frame', async () => {
    const fragments = fragmentsOf({
      video: mediaPackets(await videoPackets('h264', { frames: 60, keyFrameEvery: 15 })),
    });
    expect(fragments.map(({ keyFrame, video }) => `${video.length}${keyFrame ? ' key' : ''}`)).toEqual([
      ...['10 key', '5', '10 key', '5', '10 key', '5', '10 key', '5'],
    ]);
    for (const [index, { startUs, lengthUs }] of fragments.entries()) {
      const next = fragments[index + 1];
      if (next) expect(Math.abs(next.startUs - startUs - lengthUs)).toBeLessThanOrEqual(1);
    }
  });

  test.each([
    ['h264', {}],
    ['h264', { options: bFrames }],
    ['h265', { options: 'speed-preset=medium' }],
  ] as const)(
    'of %s, %o, is on disk after three pictures where no audio is to come',
    async (codec, options) => {
      const video = mediaPackets(await videoPackets(codec, { frames: 40, ...options }));
      const fragments = fragmentsOf({ codec, video, isVideoOnly: true });
      expect(fragments[0]?.video).toHaveLength(3);
      const path = await writeFragments(fragments);
      expect(await decode(path)).toEqual({ frames: 40, errors: '' });
      const { errors, packets } = await probe(path);
      expect(errors).toBe('');
      const times = packets.map(({ time }) => time).sort((a, b) => a - b);
      for (const [n, time] of times.entries()) expect(time - (times[0] ?? 0)).toBeCloseTo(n / 10, 3);
    },
  );

  test('holds the audio that came with it, in step', async () => {
    const video = mediaPackets(await videoPackets('h264', { frames: 60 }));
    const path = await writeFragments(fragmentsOf({ video, audio: await audioPackets(6) }));
    expect(await streamTypes(path)).toEqual(['h264', 'aac']);
    expect((await decode(path)).frames).toBe(60);
    const args = [
      '-v',
      'error',
      '-select_streams',
      'a',
      '-show_entries',
      'packet=pts_time',
      '-of',
      'csv=p=0',
      path,
    ];
    const { stdout, stderr } = await run('ffprobe', args);
    const times = stdout.trim().split('\n').map(Number.parseFloat);
    expect(stderr).toBe('');
    expect(times.length).toBeGreaterThan(85);
    // The first picture is known when the second one comes.
    expect(times[0]).toBeLessThan(0.2);
    for (const [n, time] of times.entries()) expect(time - (times[0] ?? 0)).toBeCloseTo(n * 0.064, 2);
  });

  test('does not wait for audio that stops, nor for audio that never comes', async () => {
    const video = mediaPackets(await videoPackets('h264', { frames: 60 }));
    const stops = fragmentsOf({
      video,
      audio: (await audioPackets(6)).filter(({ arrivedMs }) => arrivedMs < 3000),
    });
    const never = fragmentsOf({ video });
    // Once audio has come, the first fragment need not be a second long.
    expect([stops.length, never.length]).toEqual([7, 6]);
    for (const fragments of [stops, never]) {
      const path = await writeFragments(fragments);
      expect((await decode(path)).frames).toBe(60);
      expect((await probe(path)).errors).toBe('');
    }
    expect(new Set(stops.map(({ layout }) => layout)).size).toBe(1);
  });

  test('begins anew at the key frame after audio has come', async () => {
    const video = mediaPackets(await videoPackets('h264', { frames: 60 }));
    const audio = (await audioPackets(6)).filter(({ arrivedMs }) => arrivedMs > 3500);
    const fragments = fragmentsOf({ video, audio });
    const layouts = [...new Set(fragments.map(({ layout }) => layout))];
    expect(layouts.map((layout) => layout.audio !== undefined)).toEqual([false, true]);
    for (const layout of layouts) {
      const part = fragments.filter((fragment) => fragment.layout === layout);
      expect(part[0]?.keyFrame).toBe(true);
      const path = await writeFragments(part);
      expect(await decode(path)).toMatchObject({ frames: part.length * 10 });
    }
  });

  test('begins anew without audio when that has not come for half a minute', async () => {
    const video = mediaPackets(await videoPackets('h264', { frames: 400 }));
    const audio = (await audioPackets(6)).filter(({ arrivedMs }) => arrivedMs < 4000);
    const fragments = fragmentsOf({ video, audio });
    const [first, second, ...others] = [...new Set(fragments.map(({ layout }) => layout))];
    expect(others).toEqual([]);
    expect([first?.audio !== undefined, second?.audio]).toEqual([true, undefined]);
    const count = fragments.filter(({ layout }) => layout === first).length;
    expect(count).toBeGreaterThanOrEqual(32);
    expect(count).toBeLessThanOrEqual(35);
  });

  test('begins anew when the size changes', async () => {
    const small = mediaPackets(await videoPackets('h264', { frames: 30 }));
    const large = mediaPackets(await videoPackets('h264', { frames: 30, width: 640, height: 480 })).map(
      (packet) => ({
        ...packet,
        timestamp: packet.timestamp + 3 * 90_000,
        arrivedMs: packet.arrivedMs + 3000,
      }),
    );
    const fragments = fragmentsOf({ video: [...small, ...large] });
    const widths = fragments.map(({ layout }) => layout.video.width);
    expect(widths).toEqual([320, 320, 320, 640, 640, 640]);
    for (const width of [320, 640]) {
      const path = await writeFragments(fragments.filter(({ layout }) => layout.video.width === width));
      expect(await decode(path)).toEqual({ frames: 30, errors: '' });
    }
  });

  test('begins anew when the parameter sets change, at the same size too', async () => {
    const [first, second] = await Promise.all(
      ['true', 'false'].map((cabac) =>
        videoPackets('h264', { frames: 30, options: `tune=zerolatency cabac=${cabac}` }),
      ),
    );
    const later = mediaPackets(second ?? []).map((packet) => ({
      ...packet,
      timestamp: packet.timestamp + 3 * 90_000,
      arrivedMs: packet.arrivedMs + 3000,
    }));
    const fragments = fragmentsOf({ video: [...mediaPackets(first ?? []), ...later] });
    const layouts = [...new Set(fragments.map(({ layout }) => layout))];
    expect(layouts.map(({ video }) => video.width)).toEqual([320, 320]);
    for (const layout of layouts) {
      const part = fragments.filter((fragment) => fragment.layout === layout);
      expect(part[0]?.keyFrame).toBe(true);
      expect(await decode(await writeFragments(part))).toEqual({ frames: 30, errors: '' });
    }
  });

  test('plays wherever it was cut off', async () => {
    const fragments = fragmentsOf({
      video: mediaPackets(await videoPackets('h264', { frames: 60 })),
      audio: await audioPackets(6),
    });
    const whole = fileBytes(fragments);
    const ends = fragments.map((_, n) => fileBytes(fragments.slice(0, n + 1)).length);
    const path = join(await temporaryFolder(), 'cut.mp4');
    for (let cut = 1; cut <= 8; cut += 1) {
      const [first = 0] = ends;
      const length = Math.floor(first + ((whole.length - first) * cut) / 8);
      await writeFile(path, whole.subarray(0, length));
      const complete = fragments.filter((_, n) => (ends[n] ?? 0) <= length).flatMap(({ video }) => video);
      expect((await decode(path)).frames).toBeGreaterThanOrEqual(complete.length);
    }
  });
});

test('Chromium plays every fragment through Media Source Extensions, B-frames and audio too', async () => {
  const browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update'],
  });
  atEnd(() => browser.close());
  const fragments = fragmentsOf({
    video: mediaPackets(await videoPackets('h264', { frames: 60, options: bFrames })),
    audio: await audioPackets(6),
  });
  const origin = fragments[0]?.video[0]?.decodeTime ?? 0;
  const chunks = [
    fragments[0]?.layout.init ?? Buffer.alloc(0),
    ...fragments.map((fragment, n) => Buffer.concat(movieFragment(fragment, n + 1, origin))),
  ].map((chunk) => chunk.toString('base64'));
  const page = await browser.newPage();
  const result = await page.evaluate(async (all) => {
    const source = new MediaSource();
    const video = document.createElement('video');
    video.src = URL.createObjectURL(source);
    await new Promise((resolve) => source.addEventListener('sourceopen', resolve, { once: true }));
    const buffer = source.addSourceBuffer('video/mp4; codecs="avc1.64000d,mp4a.40.2"');
    for (const text of all) {
      buffer.appendBuffer(Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)));
      await new Promise((resolve) => buffer.addEventListener('updateend', resolve, { once: true }));
    }
    source.endOfStream();
    video.muted = true;
    video.playbackRate = 4;
    await video.play();
    await new Promise((resolve) => video.addEventListener('ended', resolve, { once: true }));
    const ranges = Array.from({ length: video.buffered.length }, (_, n) => [
      video.buffered.start(n),
      video.buffered.end(n),
    ]);
    return { error: video.error?.message, ranges, height: video.videoHeight };
  }, chunks);
  expect(result.error).toBeUndefined();
  expect(result.height).toBe(240);
  expect(result.ranges).toHaveLength(1);
  expect(result.ranges[0]?.[1]).toBeGreaterThan(5.8);
});

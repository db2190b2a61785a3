import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { type AddressInfo, connect, createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { type Camera, startCamera } from '../support/camera.ts';
import { startChild } from '../support/child.ts';
import { atEnd } from '../support/cleanup.ts';
import { encode } from '../support/encoded.ts';
import { temporaryFolder } from '../support/folder.ts';
import { rtsp, start } from '../support/pipeline.ts';
import { probe } from '../support/probe.ts';
import { view } from '../support/rtsp-viewer.ts';
import { waitFor } from '../support/wait.ts';

/**
 * From the first packet that is sent to a camera until a picture of it is in the recording on disk, beside
 * gst-launch-1.0, which records the same camera. Most of it is waiting for the camera's next key frame; gst-launch does
 * not wait for one, and its file begins with what cannot be decoded.
 */

const framesPerSecond = 15;
const rounds = 12;
/** Beyond the distance of two key frames, in seconds. */
const allowance = 0.3;

/** A way to a camera that notes when somebody comes. */
interface Way {
  readonly url: string;
  /** `performance.now()` at the last connection. */
  cameAtMs: number | undefined;
}

async function wayTo(camera: Camera): Promise<Way> {
  const way: { url: string; cameAtMs: number | undefined } = { url: '', cameAtMs: undefined };
  const server = createServer((client) => {
    way.cameAtMs = performance.now();
    const upstream = connect(camera.port, '127.0.0.1');
    for (const socket of [client, upstream]) {
      socket.setNoDelay(true);
      socket.on('error', () => {});
    }
    client.pipe(upstream).pipe(client);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  atEnd(async () => void server.close());
  way.url = `rtsp://127.0.0.1:${(server.address() as AddressInfo).port}/main`;
  return way;
}

/** @returns seconds until the first picture is on disk. */
async function withSentrybus(way: Way): Promise<number> {
  const running = await start(rtsp(way.url));
  const [file = ''] = await waitFor(
    async () => {
      const found = await running.recordings();
      return found.length > 0 && found;
    },
    30_000,
    'a recording',
  );
  const seconds = secondsSince(way);
  expect((await probe(file)).packets.length).toBeGreaterThan(0);
  await running.stop();
  return seconds;
}

/** @returns seconds until the first picture is on disk. */
async function withGstLaunch(way: Way): Promise<number> {
  const file = join(await temporaryFolder(), 'recorded.mp4');
  const line = `rtspsrc location=${way.url} protocols=tcp latency=0 ! rtph264depay ! h264parse ! mp4mux fragment-duration=1000 streamable=true ! filesink location=${file} buffer-mode=unbuffered`;
  const child = startChild('gst-launch-1.0', ['-q', ...line.split(' ')]);
  await waitFor(async () => (await readFile(file)).includes('mdat'), 30_000, 'a recording');
  const seconds = secondsSince(way);
  await child.kill();
  return seconds;
}

function secondsSince({ cameAtMs }: Way): number {
  return (performance.now() - (cameAtMs ?? Number.NaN)) / 1000;
}

test.each([1, 4])('a key frame every %d s', async (distance) => {
  const file = await encode(
    20 * framesPerSecond,
    distance * framesPerSecond,
    'tune=zerolatency',
    framesPerSecond,
  );
  const camera = await startCamera({ mounts: { main: { file } } });
  const way = await wayTo(camera);
  // It begins with its first client by one URL: the others come at any moment between two key frames.
  await (await view(way.url)).received(1);
  const ours: number[] = [];
  const reference: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    for (const [times, record] of [
      [ours, withSentrybus],
      [reference, withGstLaunch],
    ] as const) {
      await pause(Math.random() * distance * 1000);
      times.push(await record(way));
    }
  }
  console.log(`a key frame every ${distance} s, ${rounds} connections each; goal ${distance + allowance} s`);
  for (const [name, times] of [
    ['sentrybus', ours],
    ['gst-launch', reference],
  ] as const) {
    const sorted = [...times].sort((a, b) => a - b);
    const [middle = 0, longest = 0] = [sorted[rounds >> 1], sorted.at(-1)];
    console.log(`  ${name.padEnd(10)} p50 ${middle.toFixed(2)} s, max ${longest.toFixed(2)} s`);
  }
});

import { expect, test } from 'vitest';
import type { LogEntry } from '../../bus/messages.ts';
import { logs } from '../../bus/subjects.ts';
import { startTestBus, type TestBus } from '../support/bus.ts';
import { startDetectorHost } from '../support/detector-host.ts';
import { encodeSizes } from '../support/encoded.ts';
import { byPicture, following, startPacedCamera } from '../support/paced-camera.ts';
import { oneMount, patience, rtsp, start, watch } from '../support/pipeline.ts';
import { decode, probe } from '../support/probe.ts';
import { videoPackets } from '../support/rtp.ts';
import { waitFor } from '../support/wait.ts';

/** Cameras whose stream becomes another one while it is played, as it does when their settings are changed. */

/** Plays a camera for detectors, too. */
async function play({ server, bus }: TestBus, url: string) {
  const entries: LogEntry[] = [];
  bus.subscribe(logs, ['*', 'recorder', 'door'], (entry) => entries.push(entry));
  const running = await start(rtsp(url), { bus: server.address });
  await startDetectorHost(server.address);
  const frames = watch(bus, { rate: 0 });
  return {
    running,
    frames,
    changes: () => entries.map(({ msg }) => msg).filter((msg) => msg.startsWith('the camera sends')),
  };
}

test('another size is another recording, announced once, and detectors go on', patience, async () => {
  const file = await encodeSizes(30, [
    [1280, 720],
    [640, 360],
  ]);
  const camera = await oneMount({ file });
  const { running, frames, changes } = await play(await startTestBus(), camera.url('main'));
  const recordings = await waitFor(
    async () => {
      const found = await running.recordings();
      return found.length >= 2 && found;
    },
    20_000,
    'the second recording',
  );
  const before = frames.length;
  await waitFor(() => frames.length >= before + 10, 10_000, 'frames after the change');
  await running.stop();
  const text = (...[one, other]: string[]) =>
    `the camera sends H.264 of ${other} without audio now, before it was H.264 of ${one} without audio: a new recording begins`;
  expect(changes()[0]).toBe(text('1280×720', '640×360'));
  expect(changes().length).toBe((await running.recordings()).length - 1);
  const heights = await Promise.all(recordings.map(async (path) => (await probe(path)).height));
  expect(heights).toEqual([720, 360]);
  const [first = ''] = recordings;
  expect(await decode(first)).toEqual({ frames: 30, errors: '' });
  frames.slice(1).forEach((frame, index) => {
    expect(frame.timeUs - (frames[index]?.timeUs ?? 0)).toBeLessThan(500_000);
  });
});

test('another codec is another recording, announced once, and detectors go on', patience, async () => {
  await Promise.all([change('h264', 'h265'), change('h265', 'h264')]);
});

type Codec = 'h264' | 'h265';

async function change(from: Codec, to: Codec): Promise<void> {
  const [before, after] = await Promise.all(
    [from, to].map(async (codec) => byPicture(await videoPackets(codec, { frames: 25 }))),
  );
  const pictures = following(before ?? [], after ?? []);
  const camera = await startPacedCamera({ pictures, codec: from, periodMs: 100 });
  const { running, frames, changes } = await play(await startTestBus(), camera.url());
  await waitFor(() => camera.sentUs.length === pictures.length, 30_000, 'the last picture');
  const changedUs = camera.sentUs[25] ?? 0;
  await waitFor(
    () => frames.filter(({ timeUs }) => timeUs > changedUs).length >= 10,
    10_000,
    'frames after the change',
  );
  await running.stop();
  const names = { h264: 'H.264', h265: 'H.265' };
  expect(changes()).toEqual([
    `the camera sends ${names[to]} of 320×240 without audio now, before it was ${names[from]} of 320×240 without audio: a new recording begins`,
  ]);
  const recordings = await running.recordings();
  const found = await Promise.all(
    recordings.map(async (path) => [(await probe(path)).codec, await decode(path)]),
  );
  const codecs = { h264: 'h264', h265: 'hevc' };
  expect(found).toEqual([from, to].map((codec) => [codecs[codec], { frames: 25, errors: '' }]));
}

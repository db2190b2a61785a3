import { join } from 'node:path';
import { beforeAll, expect, test, vi } from 'vitest';
import { MachineClock } from '../../../bus/base/machine-clock.ts';
import { Logger } from '../../../bus/logging/logger.ts';
import type { LogEntry } from '../../../bus/messages.ts';
import { type VideoUnit, videoTicksPerSecond } from '../../../pipelines/media/unit.ts';
import { VideoTrack } from '../../../pipelines/media/video-track.ts';
import { WallClock } from '../../../pipelines/media/wall-clock.ts';
import { StreamRecording } from '../../../pipelines/recording/stream-recording.ts';
import { atEnd } from '../../support/cleanup.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { began } from '../../support/pipeline-recorder.ts';
import { decode } from '../../support/probe.ts';
import { recordingsIn } from '../../support/recordings.ts';
import { mediaPackets, videoPackets } from '../../support/rtp.ts';
import { slowDisk } from '../../support/slow-disk.ts';
import { waitFor } from '../../support/wait.ts';

const usual = {
  monitorID: 'door',
  stream: 'main',
  alwaysRecord: true,
  videoLength: 3600_000,
  eventsLateMs: 2000,
} as const;

/** Of the first fragment, which the next one completes. */
const firstPictures = 3;
/** 60 pictures, every twentieth of them a key frame. */
const units: VideoUnit[] = [];

beforeAll(async () => {
  const track = new VideoTrack({
    ...{ codec: 'h264', ticksPerSecond: videoTicksPerSecond, onJump: () => {} },
    onUnit: (unit) => units.push(unit),
  });
  for (const packet of mediaPackets(await videoPackets('h264', { frames: 60, keyFrameEvery: 20 })))
    track.push(packet);
  track.flush();
});

test.each([
  [15, 60, 2],
  [4, 20, 2],
  [1, 10, 1.2],
] as const)(
  '%i pictures a second are on disk within a second of their arrival',
  async (rate, count, maxWrites) => {
    vi.useFakeTimers({ toFake: ['performance', 'setTimeout', 'clearTimeout'] });
    atEnd(async () => void vi.useRealTimers());
    const { durable, writes, advance } = await slowDisk(50);
    const machine = new MachineClock(() => {
      const monotonicUs = performance.now() * 1000;
      return { wallUs: began + monotonicUs, monotonicUs };
    });
    const recordingsDir = join(await temporaryFolder(), 'recordings');
    const clock = new WallClock(machine);
    const log = new Logger(() => {}).source('recorder');
    let isRecording = false;
    const recording = new StreamRecording({
      ...{ ...usual, recordingsDir },
      ...{ clock, log, onReport: () => {}, onTrouble: () => {} },
      onRecording: (file) => {
        isRecording = file !== null;
      },
    });
    recording.expectNoAudio();
    const begun = async () => {
      await advance(10);
      return isRecording;
    };
    const cameMs: number[] = [];
    const beganMs = performance.now();
    for (const [n, unit] of units.slice(0, count).entries()) {
      const arrivedMs = performance.now();
      const time = Math.round(((beganMs + (n * 1000) / rate) * videoTicksPerSecond) / 1000);
      cameMs.push(arrivedMs);
      clock.observe((time * 1e6) / videoTicksPerSecond, arrivedMs);
      recording.pushVideo({ ...unit, time, arrivedMs });
      // Making a file takes the real disk some time.
      if (n === firstPictures) await waitFor(begun, 5000, 'the file');
      await advance(1000 / rate);
    }
    const ages = durable.samples.map((ms, n) => ms - (cameMs[n] ?? 0));
    // The first ones wait for what shows their order, and there is always one that is not complete yet.
    const others = ages.slice(firstPictures + 1);
    expect(others.length).toBeGreaterThan(3);
    expect(Math.max(...others)).toBeLessThanOrEqual(1000 - 100);
    expect(cameMs.length - ages.length).toBeLessThanOrEqual(rate);
    expect(writes() / (count / rate)).toBeLessThan(maxWrites);
    vi.useRealTimers();
    await recording.end();
    const [file = ''] = await recordingsIn(recordingsDir);
    expect(await decode(file)).toEqual({ frames: count, errors: '' });
  },
);

test('other parameters of the same size are another recording, announced once', async () => {
  const recordingsDir = join(await temporaryFolder(), 'recordings');
  const entries: LogEntry[] = [];
  const clock = new WallClock();
  const recording = new StreamRecording({
    ...{ ...usual, recordingsDir },
    ...{ clock, onReport: () => {}, onTrouble: () => {}, onRecording: () => {} },
    log: new Logger((entry) => entries.push(entry)).source('recorder'),
  });
  recording.expectNoAudio();
  const [before, after] = [units.slice(0, 20), units.slice(20, 40)];
  const changed = after[0] && { ...after[0].config };
  if (!changed) throw new Error('there is no video');
  const pushed = [...before, ...after.map((unit) => ({ ...unit, config: changed }))];
  const beganMs = performance.now() - pushed.length * 50;
  for (const [n, unit] of pushed.entries()) {
    const arrivedMs = beganMs + n * 50;
    const time = Math.round((arrivedMs * videoTicksPerSecond) / 1000);
    clock.observe((time * 1e6) / videoTicksPerSecond, arrivedMs);
    recording.pushVideo({ ...unit, time, arrivedMs });
  }
  await recording.end();
  const changes = entries.map(({ msg }) => msg).filter((msg) => msg.startsWith('the camera sends'));
  expect(changes).toEqual([
    'the camera sends H.264 of 320×240 without audio now, with other parameters than before: a new recording begins',
  ]);
  const files = await recordingsIn(recordingsDir);
  const decoded = await Promise.all(files.map((file) => decode(file)));
  expect(decoded).toEqual([1, 2].map(() => ({ frames: 20, errors: '' })));
});

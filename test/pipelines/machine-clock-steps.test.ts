import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, expect, test, vi } from 'vitest';
import { parseRecordingID } from '../../bus/recording-id.ts';
import { atEnd } from '../support/cleanup.ts';
import { byPicture, type PicturePackets, startPacedCamera } from '../support/paced-camera.ts';
import { patience, rtsp } from '../support/pipeline.ts';
import { probe } from '../support/probe.ts';
import { videoPackets } from '../support/rtp.ts';
import { startInProcess } from '../support/stream-in-process.ts';
import { waitFor } from '../support/wait.ts';

/** The clock of this machine is set while a camera is recorded, from the wire to the files. */

const count = 60;
const periodMs = 100;
const second = 1_000_000;
let pictures: readonly PicturePackets[];
beforeAll(async () => {
  pictures = byPicture(await videoPackets('h264', { frames: count, keyFrameEvery: 10 }));
});

/** After how many pictures the clock is set, and by how many seconds. */
const steps = [
  // As after a boot without a battery.
  { after: 12, seconds: 3 * 365 * 86_400 },
  { after: 32, seconds: -7200 },
];
/** Another recording would begin before the end of this one. */
const followed = { after: 44, seconds: -1 };

test(
  'each time the clock is set a recording begins at the right time, unless it is back by a second, and no picture is lost',
  patience,
  async () => {
    const realNow = Date.now.bind(Date);
    let aheadMs = 0;
    vi.spyOn(Date, 'now').mockImplementation(() => Math.floor(realNow() + aheadMs));
    atEnd(async () => void vi.restoreAllMocks());
    const camera = await startPacedCamera({ pictures, periodMs });
    const running = await startInProcess(rtsp(camera.url()));
    await waitFor(() => camera.sentUs.length > 0, 30_000, 'the first picture');
    const [beganUs = 0] = camera.sentUs;
    for (const { after, seconds } of [...steps, followed]) {
      await waitFor(() => camera.sentUs.length > after, 30_000, 'some pictures');
      aheadMs += seconds * 1000;
    }
    await waitFor(() => camera.sentUs.length === count, 30_000, 'the last picture');
    // While nobody watches, a camera is read ten times a second.
    await sleep(300);
    await running.stop();

    const saved = running.recordingReports.filter(({ state }) => state === 'saved');
    expect(new Set(saved.map(({ id }) => id)).size).toBe(steps.length + 1);
    const files = await running.recordings();
    let [recorded, clockUs] = [0, 0];
    for (const [index, { id, start, end }] of saved.entries()) {
      const { errors, packets } = await probe(files.find((file) => file.endsWith(`${id}.mp4`)) ?? '');
      expect(errors).toBe('');
      for (const [n, { time }] of packets.entries()) {
        const takenUs = beganUs + (recorded + n) * periodMs * 1000 + clockUs;
        expect(Math.abs(start + time * second - takenUs)).toBeLessThan(0.4 * second);
      }
      // In the last one time passes more slowly by 5 %, from at most a second before the last step on.
      const slewUs = index === steps.length ? 0.05 * (count - followed.after + 10) * periodMs * 1000 : 0;
      expect(Math.abs(end - start - packets.length * periodMs * 1000)).toBeLessThan(slewUs + 2000);
      expect(Math.abs((parseRecordingID(id)?.startMs ?? 0) * 1000 + second / 2 - start)).toBeLessThan(
        1.6 * second,
      );
      recorded += packets.length;
      clockUs += (steps[index]?.seconds ?? 0) * second;
    }
    expect(recorded).toBe(count);
  },
);

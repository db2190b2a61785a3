import { expect, test } from 'vitest';
import { nowUs, wallClockUs } from '../../bus/base/time.ts';
import { NalPayload } from '../../pipelines/depayload/nal-payload.ts';
import { encode } from '../support/encoded.ts';
import { oneMount, patience, rtsp, second, start } from '../support/pipeline.ts';
import { picturesIn, probe } from '../support/probe.ts';
import { nameTime } from '../support/recordings.ts';
import { view } from '../support/rtsp-viewer.ts';
import { startInProcess } from '../support/stream-in-process.ts';
import { waitFor } from '../support/wait.ts';

/** A slow stream shows what is waited for: a picture is complete with the next one. */
test('a picture a second without VUI is placed right, and a kill loses two', patience, async () => {
  const camera = await oneMount({ file: await encode(60, 3, 'tune=zerolatency', 1), vui: false });
  const viewer = await view(camera.url('main'));
  await viewer.received(1);
  const [killed, watched] = await Promise.all([
    start(rtsp(camera.url('main'))),
    startInProcess(rtsp(camera.url('main'))),
  ]);
  const file = await waitFor(
    async () => {
      const [path] = await killed.recordings();
      return path !== undefined && (await picturesIn(path)) >= 3 && path;
    },
    30_000,
    'three pictures',
  );
  process.kill(killed.pid, 'SIGKILL');
  const killedUs = nowUs();
  await Promise.all([killed.end, watched.stop()]);

  const arrivals = (viewer.packets[0] ?? []).map((packet) => ({
    ...packet,
    us: wallClockUs(packet.arrivedMs),
  }));
  const payload = new NalPayload('h264');
  const keyFrames = arrivals.filter((packet) => payload.push(packet).some(([type = 0]) => (type & 31) === 7));
  expect(watched.recordingReports.length).toBeGreaterThan(0);
  for (const { start: startUs } of watched.recordingReports) {
    const distances = keyFrames.map(({ us }) => Math.abs(us - startUs));
    expect(Math.min(...distances)).toBeLessThan(0.4 * second);
  }
  const { errors, packets } = await probe(file);
  expect(errors).toBe('');
  // The name says whole seconds.
  const begin = keyFrames.findLast(({ us }) => us < (nameTime(file) + 1500) * 1000);
  const recorded = arrivals.filter(
    ({ us, timestamp }) => timestamp >= (begin?.timestamp ?? 0) && us < killedUs,
  );
  const pictures = new Set(recorded.map(({ timestamp }) => timestamp)).size;
  expect(packets.length).toBeGreaterThanOrEqual(pictures - 2);
  expect(packets.length).toBeLessThanOrEqual(pictures);
});

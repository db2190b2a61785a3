import { beforeAll, expect, test } from 'vitest';
import { launchChromium, showInChromium } from '../support/chromium.ts';
import {
  byPicture,
  type PacedCameraOptions,
  type PicturePackets,
  startPacedCamera,
} from '../support/paced-camera.ts';
import { patience, rtsp } from '../support/pipeline.ts';
import { probe } from '../support/probe.ts';
import { nameTime } from '../support/recordings.ts';
import { videoPackets } from '../support/rtp.ts';
import { startInProcess } from '../support/stream-in-process.ts';
import { waitFor } from '../support/wait.ts';

/** Cameras whose times do not go on as time does, from the wire to the file. */

const count = 32;
const periodMs = 100;
const jumpAt = 14;
let pictures: readonly PicturePackets[];
beforeAll(async () => {
  pictures = byPicture(await videoPackets('h264', { frames: count }));
});

interface Fault extends Pick<PacedCameraOptions, 'offset' | 'newSourceAt'> {
  /** As the log names it, in seconds. */
  readonly seconds: number;
  readonly text: RegExp;
}

const clockBy = (seconds: number): Fault => ({
  ...{ seconds, text: /^the camera's clock jumped/ },
  offset: (n) => (n < jumpAt ? 0 : seconds),
});
const pictureBy = (seconds: number, at = jumpAt): Fault => ({
  ...{ seconds, text: /^one picture was stamped/ },
  offset: (n) => (n === at ? seconds : 0),
});
const faults: Readonly<Record<string, Fault>> = {
  'the clock is set 2 s ahead': clockBy(2),
  'the clock is set 2 s back': clockBy(-2),
  'the clock is set 20 s ahead': clockBy(20),
  'the clock is set 20 s back': clockBy(-20),
  'the clock is set an hour ahead': clockBy(3600),
  'the clock is set an hour back': clockBy(-3600),
  'one picture is 5 s ahead': pictureBy(5),
  'one picture is 5 s back': pictureBy(-5),
  'one picture is 60 s ahead': pictureBy(60),
  'one picture is 60 s back': pictureBy(-60),
  'the second picture is stamped before the first': pictureBy(-30, 1),
  'the camera begins its times anew': { ...clockBy(-5000), newSourceAt: jumpAt },
};

/** Plays a camera to its end. @returns its recording, after it has been seen to be whole and at its right time. */
async function record(fault: Fault, protocol: 'tcp' | 'udp') {
  const camera = await startPacedCamera({ pictures, periodMs, ...fault });
  const running = await startInProcess(rtsp(camera.url(), protocol));
  await waitFor(() => camera.sentUs.length === count, 30_000, 'the last picture');
  // The last datagrams are on their way.
  await new Promise((resolve) => setTimeout(resolve, 100));
  await running.stop();

  const [file = '', ...others] = await running.recordings();
  expect(others).toEqual([]);
  const { errors, packets } = await probe(file);
  expect({ errors, count: packets.length }).toEqual({ errors: '', count });
  const [report] = running.recordingReports;
  const [firstSentUs = 0] = camera.sentUs;
  expect(Math.abs(nameTime(file) * 1000 + 500_000 - firstSentUs)).toBeLessThan(1_500_000);
  for (const [n, { time }] of packets.entries()) {
    const recordedUs = (report?.start ?? 0) + time * 1e6;
    expect(Math.abs(recordedUs - (camera.sentUs[n] ?? 0))).toBeLessThan(1_000_000);
  }
  const warnings = running.entries.filter(({ level }) => level !== 'info').map(({ msg }) => msg);
  expect(warnings).toEqual([expect.stringMatching(fault.text)]);
  const [, size, direction] = /([\d.]+) s (ahead|back)/.exec(warnings[0] ?? '') ?? [];
  expect(Math.abs(Number(size) * (direction === 'back' ? -1 : 1) - fault.seconds)).toBeLessThan(1);
  return { file, times: packets.map(({ time }) => time) };
}

test('every picture is recorded and shown at its time whatever the camera says', patience, async () => {
  const protocols = ['tcp', 'udp'] as const;
  const all = Object.entries(faults).flatMap(([name, fault]) =>
    protocols.map((protocol) => ({ name: `${name}, over ${protocol}`, fault, protocol })),
  );
  const results = await Promise.allSettled(all.map(({ fault, protocol }) => record(fault, protocol)));
  const failures = results.map((result, index) =>
    result.status === 'rejected' ? `${all[index]?.name}: ${result.reason}` : '',
  );
  expect(failures.filter((text) => text !== '')).toEqual([]);

  const browser = await launchChromium();
  const seen = ['an hour ahead, over tcp', '20 s back, over udp', '60 s ahead, over tcp'];
  for (const [index, result] of results.entries()) {
    if (result.status !== 'fulfilled' || !seen.some((end) => all[index]?.name.endsWith(end))) continue;
    const { file, times } = result.value;
    const { shown, playedTo } = await showInChromium(browser, file, times);
    expect(shown.map((time) => time.toFixed(2))).toEqual(times.map((time) => time.toFixed(2)));
    expect(playedTo).toBeGreaterThan(times.at(-1) ?? 0);
  }
});

import { setTimeout as pause } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { startCamera } from '../support/camera.ts';
import { benchClips, clip, makeClips } from '../support/clips.ts';
import { partOf } from '../support/cost.ts';
import { rtspMonitor } from '../support/monitors.ts';
import { descendants, openFiles, privateMemoryBytes } from '../support/processes.ts';
import { type Recorder, startRecorder } from '../support/recorder.ts';
import { quietMotion } from '../support/street-cameras.ts';

/**
 * Whether anything grows: eight cameras, two of which come and go, viewers who look for a while, pages that ask. Memory and
 * descriptors of each process over time, and the slope of its memory after the first quarter. Files that are mapped are left out:
 * how much of them is counted for a process depends on what else runs on the machine.
 */

const minutes = Number(process.env['MINUTES'] ?? 120);
const sampleMs = 15_000;
/** So long the restless cameras stay, and are away. */
const [onMs, offMs] = [90_000, 20_000];
const viewers = 4;
const viewMs = 60_000;
const askMs = 5000;
/** Of ten minutes each, in two hours. */
const curveParts = 12;

interface Sample {
  readonly minute: number;
  readonly megabytes: number;
  readonly files: number;
}

test('nothing grows', { timeout: (minutes + 10) * 60_000 }, async () => {
  await makeClips(benchClips);
  const mounts = { main: { file: clip('street-1080.mp4') }, sub: { file: clip('street-360.mp4') } };
  const steady = await startCamera({ mounts });
  const restless = await startCamera({ mounts });
  const monitors = Array.from({ length: 8 }, (_, n) => {
    const camera = n < 6 ? steady : restless;
    const streams: [string, string] = [camera.url('main'), camera.url('sub')];
    return rtspMonitor(`m${n}`, streams, { alwaysRecord: true, motion: quietMotion, videoLength: 2 });
  });
  const recorder = await startRecorder({ monitors });
  const began = performance.now();
  const endMs = minutes * 60_000;
  const goesOn = () => performance.now() - began < endMs;
  const samples = new Map<string, Sample[]>();
  const sampling = async () => {
    while (goesOn()) {
      const minute = (performance.now() - began) / 60_000;
      for (const pid of [recorder.pid, ...descendants(recorder.pid)]) {
        const sample = { minute, megabytes: privateMemoryBytes(pid) / 1e6, files: openFiles(pid) };
        const name = `${partOf(pid)} ${pid}`;
        if (sample.megabytes > 1) samples.set(name, [...(samples.get(name) ?? []), sample]);
      }
      await pause(sampleMs);
    }
  };
  const comingAndGoing = async () => {
    let camera = restless;
    while (goesOn()) {
      await pause(onMs);
      await camera.kill();
      await pause(offMs);
      camera = await camera.restart();
    }
  };
  const watching = Array.from({ length: viewers }, async (_, n) => {
    while (goesOn()) {
      const feed = await recorder.feed(`/api/monitor/m${n * 2}/live`);
      // It would keep gigabytes.
      feed.socket.removeAllListeners('message');
      await pause(viewMs);
      feed.socket.close();
    }
  });
  await Promise.all([sampling(), comingAndGoing(), asking(recorder, goesOn), ...watching]);

  const rows = [...samples].map(([name, all]) => ({ name, ...describe(all) }));
  console.log(
    `${minutes} minutes; MB in the mean of each twelfth, slope after the first quarter, most descriptors in each`,
  );
  for (const { name, text } of rows) console.log(`  ${name.padEnd(18)} ${text}`);
  expect(rows.some(({ name }) => name.startsWith('main'))).toBe(true);
  for (const { name, slope, files } of rows) {
    if (slope === undefined) continue;
    expect(slope, name).toBeLessThan(maxSlope());
    expect(files[3], `descriptors of ${name}`).toBeLessThanOrEqual(Math.max(...files.slice(0, 3)));
  }
});

/** Megabytes an hour: over less than two hours, what a collector has not yet taken weighs more. */
const maxSlope = () => Math.max(1, 120 / minutes);

async function asking(recorder: Recorder, goesOn: () => boolean): Promise<void> {
  const day = 86_400_000_000;
  while (goesOn()) {
    const now = Date.now() * 1000;
    await recorder.get('/api/recording/query?limit=20');
    await recorder.get(`/api/timeline?start=${now - day}&end=${now}`);
    await recorder.get('/api/log/query?limit=50');
    await recorder.get('/api/storage');
    await pause(askMs);
  }
}

interface Description {
  readonly text: string;
  /** Undefined for a process that was not there nearly all of the time. */
  readonly slope: number | undefined;
  /** The most descriptors in each quarter: cameras that are away have none, and a file that rests is closed. */
  readonly files: readonly number[];
}

function describe(all: readonly Sample[]): Description {
  const [first, last] = [all[0], all.at(-1)];
  const settled = all.filter(({ minute }) => minute > minutes / 4);
  const isWhole = (last?.minute ?? 0) - (first?.minute ?? 0) > 0.9 * minutes;
  const slope = isWhole ? slopeOf(settled) : undefined;
  const slopeText = slope === undefined ? 'not there all the time' : `${slope.toFixed(2)} MB/h`;
  // One moment says little: collectors let it swing by a tenth.
  const curve = partsOf(all, curveParts).map((part) => mean(part, (sample) => sample.megabytes).toFixed(1));
  const files = partsOf(all, 4).map((part) => Math.max(...part.map((sample) => sample.files)));
  return { text: `${curve.join(' ')} · ${slopeText} · ${files.join(' ')}`, slope, files };
}

/** Megabytes an hour, by least squares. */
function slopeOf(samples: readonly Sample[]): number {
  const [minute, megabytes] = [mean(samples, (one) => one.minute), mean(samples, (one) => one.megabytes)];
  const spread = mean(samples, (one) => (one.minute - minute) ** 2);
  const together = mean(samples, (one) => (one.minute - minute) * (one.megabytes - megabytes));
  return (60 * together) / Math.max(1e-9, spread);
}

function mean(samples: readonly Sample[], of: (sample: Sample) => number): number {
  return samples.reduce((sum, sample) => sum + of(sample), 0) / Math.max(1, samples.length);
}

function partsOf(all: readonly Sample[], count: number): Sample[][] {
  const at = (part: number) => Math.floor((all.length * part) / count);
  return Array.from({ length: count }, (_, part) => all.slice(at(part), at(part + 1)));
}

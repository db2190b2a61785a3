import { loadavg } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import { test } from 'vitest';
import { rtspMonitor } from '../support/monitors.ts';
import { type Thread, threads } from '../support/processes.ts';
import { startRecorder } from '../support/recorder.ts';
import { startStreetCamera } from '../support/street-cameras.ts';

/**
 * How often main wakes up for cameras that are only recorded, in 1080p15, against a recorder of none at the same time: by its
 * threads, and what each camera adds.
 */

const warmUpMs = Number(process.env['WARM_UP'] ?? 60) * 1000;
const measuredMs = Number(process.env['SECONDS'] ?? 60) * 1000;
const counts = [0, 8];

test('what main does for a camera that is only recorded', async () => {
  const camera = await startStreetCamera();
  const recorders = await Promise.all(
    counts.map(async (count) => {
      const monitors = Array.from({ length: count }, (_, n) =>
        rtspMonitor(`m${n}`, [camera.url('main')], { alwaysRecord: true }),
      );
      return { count, recorder: await startRecorder({ monitors }) };
    }),
  );
  await pause(warmUpMs);
  const before = recorders.map(({ recorder }) => threads(recorder.pid));
  await pause(measuredMs);
  console.log(
    `  wake-ups a second and percent of a core of main's threads; load ${loadavg()[0]?.toFixed(1)}`,
  );
  const seconds = measuredMs / 1000;
  const all = recorders.map(({ count, recorder }, index) => {
    const spent = threads(recorder.pid).map((thread) => since(thread, before[index] ?? []));
    const sum = { wakeUps: total(spent, 'wakeUps') / seconds, cpu: total(spent, 'cpuSeconds') / seconds };
    console.log(`  ${count} cameras: ${sum.wakeUps.toFixed(2)}, ${(sum.cpu * 100).toFixed(2)} %`);
    for (const { name, wakeUps, cpuSeconds } of spent)
      if (wakeUps > 0)
        console.log(
          `  - ${name}: ${(wakeUps / seconds).toFixed(2)}, ${((cpuSeconds / seconds) * 100).toFixed(2)} %`,
        );
    return { count, ...sum };
  });
  const [none, some] = all;
  if (!none || !some) return;
  const wakeUps = (some.wakeUps - none.wakeUps) / some.count;
  const cpu = ((some.cpu - none.cpu) / some.count) * 100;
  console.log(`  each camera: ${wakeUps.toFixed(2)} wake-ups/s, ${cpu.toFixed(3)} %`);
});

function since(thread: Thread, before: readonly Thread[]): Thread {
  const then = before.find(({ id }) => id === thread.id);
  if (!then) return thread;
  const { wakeUps, cpuSeconds } = then;
  return { ...thread, wakeUps: thread.wakeUps - wakeUps, cpuSeconds: thread.cpuSeconds - cpuSeconds };
}

const total = (spent: readonly Thread[], what: 'wakeUps' | 'cpuSeconds') =>
  spent.reduce((sum, thread) => sum + thread[what], 0);

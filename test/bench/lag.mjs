import { monitorEventLoopDelay } from 'node:perf_hooks';
import process from 'node:process';
import { isMainThread } from 'node:worker_threads';

/**
 * Imported into a recorder that is measured (`NODE_OPTIONS=--import=…`): how late the event loop of its main thread is.
 * Each SIGUSR2 prints that of the time since the one before, in milliseconds.
 */
if (isMainThread) {
  const resolution = 1;
  const histogram = monitorEventLoopDelay({ resolution });
  histogram.enable();
  let looks = 0;
  process.on('SIGUSR2', () => {
    looks += 1;
    // What is recorded is the time from one look to the next, which is never less than the resolution.
    const late = (/** @type {number} */ nanoseconds) =>
      Math.max(0, nanoseconds / 1e6 - resolution).toFixed(1);
    const at = [50, 95, 99].map((part) => `p${part} ${late(histogram.percentile(part))}`).join(', ');
    process.stdout.write(`lag ${looks}: ${at}, max ${late(histogram.max)} ms\n`);
    histogram.reset();
  });
}

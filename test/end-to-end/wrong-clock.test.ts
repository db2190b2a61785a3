import { existsSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { LogEntry } from '../../bus/messages.ts';
import { buildWithClock } from '../support/build-with-clock.ts';
import { pathOf } from '../support/footage.ts';
import { testMonitor } from '../support/monitors.ts';
import { type Recorder, startRecorder } from '../support/recorder.ts';
import { waitFor } from '../support/wait.ts';

/** A machine whose clock is set by decades while the recorder runs, is started again, and is right again. */

const second = 1_000_000;
const aheadMs = 20 * 365 * 24 * 60 * 60 * 1000;
interface Listed {
  readonly id: string;
  readonly start: number;
  readonly end: number | null;
}

const list = (recorder: Recorder) => recorder.get<Listed[]>('/api/recording/query?limit=100');
const newestEntry = async (recorder: Recorder) => {
  const [newest] = await recorder.get<LogEntry[]>('/api/log/query?limit=1');
  return newest;
};

test('a clock that is decades ahead, over a restart, deletes nothing, and all goes on when it is right again', async () => {
  const { build, set } = await buildWithClock();
  const retention = { maxDays: 1 };
  const recorder = await startRecorder({
    build,
    monitors: [testMonitor('door', { alwaysRecord: true, videoLength: 0.1, retention })],
  });
  const saved = async (of: Recorder) => (await list(of)).filter(({ end }) => end !== null);
  const [first] = await waitFor(
    async () => {
      const found = await saved(recorder);
      return found.length > 0 && found;
    },
    60_000,
    'a recording',
  );
  if (!first) throw new Error('no recording');

  await set(aheadMs);
  const isAhead = ({ start }: { readonly start: number }) => start > Date.now() * 1000 + second * 3600;
  await waitFor(async () => (await saved(recorder)).some(isAhead), 60_000, 'a recording of the wrong time');
  await recorder.stop();
  const again = await recorder.restart();
  // Its first check is over.
  await waitFor(
    async () => (await again.fetch('/api/recording/query')).headers.get('x-catalogue-incomplete') === null,
    60_000,
    'the first check',
  );
  expect((await saved(again)).map(({ id }) => id)).toContain(first.id);
  expect(existsSync(pathOf(again.recordings, first.id))).toBe(true);
  const texts = (await again.get<LogEntry[]>('/api/log/query?limit=100')).map(({ msg }) => msg);
  expect(texts.find((text) => text.startsWith('the clock is 7300 days ahead'))).toBeDefined();

  const feed = await again.feed('/api/logs');
  await again.change('POST', '/api/monitor/restart?id=door');
  await feed.frame<LogEntry>(({ time }) => isAhead({ start: time }));
  await set(0);
  await waitFor(
    async () => (await list(again)).some((one) => !isAhead(one) && one.start > first.start + 20 * second),
    60_000,
    'a recording of the right time',
  );
  // Those that the wrong clock has made are found at their true times.
  const corrected = await waitFor(
    async () => {
      const found = await list(again);
      return !found.some(isAhead) && found;
    },
    60_000,
    'the true times',
  );
  expect(corrected.at(-1)?.id).toBe(first.id);
  for (const [index, { start }] of corrected.slice(0, -1).entries())
    expect(corrected[index + 1]?.end ?? 0).toBeLessThan(start + 2 * second);
  // The next entry corrects those before it.
  await again.change('POST', '/api/monitor/restart?id=door');
  const entry = await waitFor(
    async () => {
      const newest = await newestEntry(again);
      return newest && Math.abs(newest.time / 1000 - Date.now()) < 60_000 && newest;
    },
    70_000,
    'log entries of the right time',
  );
  expect(entry.time / 1000).toBeLessThan(Date.now() + 1000);
  const isNow = ({ time }: LogEntry) => Math.abs(time / 1000 - Date.now()) < 60_000;
  await feed.frame(isNow);
}, 300_000);

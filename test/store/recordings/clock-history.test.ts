import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { ClockHistory } from '../../../store/recordings/clock/clock-history.ts';
import { temporaryFolder } from '../../support/folder.ts';

const [second, boot] = [1e6, 'ab'.repeat(16)];
const startedUs = 1_800_000_000 * second;

afterEach(() => {
  vi.restoreAllMocks();
});

/** A machine that was started an hour ago; its clock can be set, and time passes as the test says. */
async function startMachine() {
  const folder = await temporaryFolder();
  let [passedS, aheadS] = [3600, 0];
  vi.spyOn(Date, 'now').mockImplementation(() => startedUs / 1000 + (passedS + aheadS) * 1000);
  const start = () => ({ startedUs: startedUs + aheadS * second, boot });
  let history = await ClockHistory.open(folder, start());
  return {
    folder,
    history: () => history,
    start,
    pass: (seconds: number) => {
      passedS += seconds;
    },
    set: (toS: number) => {
      aheadS = toS;
      return history.note(start());
    },
    restart: async () => {
      await history.save();
      history = await ClockHistory.open(folder, start());
    },
  };
}

test('a clock that was set is steady after a while, and at once where it had been most of the time', async () => {
  const { history, set, pass } = await startMachine();
  expect([history().wasSet, history().isSteady(20 * second)]).toEqual([false, true]);
  expect(set(5)).toBe(false);
  expect(set(-15)).toBe(true);
  expect(history().isSteady(20 * second)).toBe(false);
  pass(10);
  set(0);
  expect(history().isSteady(20 * second)).toBe(true);
  // Not after ten seconds and ten more.
  set(-15);
  pass(11);
  expect(history().isSteady(20 * second)).toBe(false);
  pass(10);
  expect(history().isSteady(20 * second)).toBe(true);
});

test('a clock that is set ahead again was wrong until then only if it is set to where it was for longer', async () => {
  const { history, set, pass, restart } = await startMachine();
  const proven = () => history().provenUs > 0;
  set(15);
  pass(5);
  set(0);
  expect(proven()).toBe(false);
  pass(100);
  // Where it was for five seconds, by mistake.
  set(15);
  expect(proven()).toBe(false);
  pass(5);
  set(0);
  pass(5);
  set(-15);
  pass(5);
  await restart();
  set(0);
  expect(proven()).toBe(true);
  // What is known of this clock stays, whatever another one says.
  const { provenUs } = history();
  set(15);
  pass(5);
  await restart();
  set(0);
  expect(history().provenUs).toBe(provenUs);
  // Where it was for an hour, also if it was wrong for longer.
  set(-3600);
  pass(3 * 3600);
  set(0);
  expect(history().provenUs).toBeGreaterThan(provenUs);
  // Not quite to where it was.
  set(-60);
  pass(5);
  set(-30);
  expect(proven()).toBe(true);
});

test('a file that is damaged, or of before the machine was started, is forgotten', async () => {
  const { folder, history, set, restart, start } = await startMachine();
  set(15);
  await restart();
  expect(history().wasSet).toBe(true);
  expect((await ClockHistory.open(folder, { ...start(), boot: 'cd'.repeat(16) })).wasSet).toBe(false);
  await restart();
  const file = join(folder, 'clock-history');
  const whole = await readFile(file, 'utf8');
  for (const damaged of [whole.slice(0, -3), 'x', '']) {
    await writeFile(file, damaged);
    expect((await ClockHistory.open(folder, start())).wasSet).toBe(false);
  }
});

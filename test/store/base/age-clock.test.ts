import fc from 'fast-check';
import { expect, test } from 'vitest';
import { AgeClock, lastAgeTime } from '../../../store/base/age-clock.ts';
import { temporaryFolder } from '../../support/folder.ts';

/** The clock by which recordings are too old, beside those of a machine. */

const minuteMs = 60_000;
const dayMs = 24 * 60 * minuteMs;
const beganMs = Date.parse('2026-11-26T00:00:00Z');

/** A machine whose clock can be set, and whose recorder can be started again. */
async function startMachine() {
  const folder = await temporaryFolder();
  let [trueMs, wrongMs] = [beganMs, 0];
  let clock: AgeClock;
  const restart = () => {
    clock = new AgeClock(folder, () => trueMs);
  };
  restart();
  return {
    folder,
    restart,
    set: (aheadMs: number) => {
      wrongMs = aheadMs;
    },
    stay: (ms: number) => {
      trueMs += ms;
    },
    look: () => clock.at(trueMs + wrongMs),
    wall: () => trueMs + wrongMs,
    truth: () => trueMs,
  };
}

test('is the clock of the machine where that keeps time, also for those who only read it', async () => {
  const { folder, look, stay, wall } = await startMachine();
  expect(await lastAgeTime(folder, wall())).toBe(wall());
  for (let n = 0; n < 10; n += 1) {
    expect(await look()).toBe(wall());
    expect(await lastAgeTime(folder, wall() + 1000)).toBe(wall());
    stay(5 * minuteMs);
  }
});

test('a clock that is years ahead is followed at twice the speed of time, across restarts, until it is right again', async () => {
  const { look, stay, set, restart, truth } = await startMachine();
  await look();
  set(34 * 365 * dayMs);
  for (let n = 1; n <= 12; n += 1) {
    stay(60 * minuteMs);
    expect(await look()).toBe(beganMs + n * 120 * minuteMs);
    if (n % 3 === 0) restart();
  }
  set(0);
  for (let n = 0; n < 20; n += 1) {
    expect(await look()).toBe(truth());
    stay(60 * minuteMs);
  }
});

test('after the recorder was off for three weeks it has caught up after a week', async () => {
  const { look, stay, restart, wall } = await startMachine();
  await look();
  stay(21 * dayMs);
  restart();
  expect(await look()).toBe(beganMs);
  for (let n = 0; n < 6; n += 1) {
    stay(dayMs);
    expect(await look()).toBe(beganMs + 2 * (n + 1) * dayMs);
  }
  stay(dayMs);
  expect(await look()).toBe(wall());
});

test('a machine that boots in 1970 is as old as before once its clock is set', async () => {
  const { look, stay, set, restart, wall } = await startMachine();
  await look();
  stay(minuteMs);
  restart();
  set(-beganMs);
  expect(await look()).toBe(wall());
  stay(minuteMs);
  set(0);
  expect(await look()).toBe(wall());
});

test('whatever the clock says, it is never ahead of it, and never goes faster than twice within a week', async () => {
  const steps = fc.array(
    fc.record({
      minutes: fc.integer({ min: 1, max: 600 }),
      aheadMs: fc.constantFrom(0, 0, 3_600_000, -3_600_000, 40 * 365 * dayMs, -20 * 365 * dayMs),
      isRestart: fc.boolean(),
    }),
    { maxLength: 15 },
  );
  await fc.assert(
    fc.asyncProperty(steps, async (taken) => {
      const { look, stay, set, restart, wall, truth } = await startMachine();
      await look();
      for (const { minutes, aheadMs, isRestart } of taken) {
        stay(minutes * minuteMs);
        set(aheadMs);
        const ageMs = await look();
        expect(ageMs).toBeLessThanOrEqual(wall());
        expect(ageMs - beganMs).toBeLessThanOrEqual(2 * (truth() - beganMs));
        if (isRestart) restart();
      }
    }),
    { numRuns: 30 },
  );
});

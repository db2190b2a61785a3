import { expect, test } from 'vitest';
import { FairQueue } from '../../../actors/detectors/fair-queue.ts';

/** Work that is finished when the test says so, and who had a turn with what. */
function startWork() {
  const turns = new FairQueue();
  const had: string[] = [];
  let finish = () => {};
  const join = (name: string) =>
    turns.join<number>((value) => {
      had.push(`${name}${value}`);
      return new Promise((resolve) => {
        finish = resolve;
      });
    });
  const next = async () => {
    finish();
    // Between two turns others may work.
    for (let pause = 0; pause < 3; pause += 1) await new Promise((resolve) => setImmediate(resolve));
  };
  return { had, join, next };
}

test('one who sends more than the others gets no more turns than they do', async () => {
  const { had, join, next } = startWork();
  const [busy, calm, other] = [join('busy'), join('calm'), join('other')];
  for (let n = 0; n < 50; n += 1) busy.put(n);
  calm.put(1);
  other.put(1);
  for (let n = 50; n < 60; n += 1) {
    busy.put(n);
    calm.put(n);
    other.put(n);
    await next();
  }
  const turnsOf = (name: string) => had.filter((one) => one.startsWith(name)).length;
  expect(turnsOf('busy') - turnsOf('calm')).toBeLessThanOrEqual(1);
  expect(Math.abs(turnsOf('calm') - turnsOf('other'))).toBeLessThanOrEqual(1);
});

test('the newest value wins, and the others are counted', async () => {
  const { had, join, next } = startWork();
  const lane = join('a');
  lane.put(1);
  await next();
  for (const value of [2, 3, 4]) lane.put(value);
  await next();
  expect(had).toEqual(['a1', 'a4']);
  expect(lane.skipped).toBe(2);
});

test('who has left gets no turn', async () => {
  const { had, join, next } = startWork();
  const [stays, leaves] = [join('stays'), join('leaves')];
  stays.put(1);
  leaves.put(1);
  leaves.leave();
  await next();
  await next();
  expect(had).toEqual(['stays1']);
});

import { expect, test } from 'vitest';
import type { DecoderUnit } from '../../../../pipelines/frames/decoder-unit.ts';
import { type FedDecoder, SleepyFeed } from '../../../../pipelines/frames/sleep/sleepy-feed.ts';

const second = 90_000;
const perGroup = 4;

/** A feed, and what its decoder gets: numbers of pictures, one a second, and `restart`. */
function feeding() {
  const given: (number | 'restart')[] = [];
  const times: number[] = [];
  const turns: (() => void)[] = [];
  const take = (unit: DecoderUnit) => {
    given.push(unit.data.readUInt8());
    times.push(unit.time);
  };
  const decoder: FedDecoder = {
    push: take,
    pushBurst: (units) => units.forEach(take),
    keep: () => {},
    restart: () => void given.push('restart'),
  };
  const feed = new SleepyFeed({
    decoder: () => decoder,
    maySleep: () => true,
    onTurn: (begin) => void turns.push(begin),
    onReplay: () => {},
  });
  let number = 0;
  const push = (count: number) => {
    for (let n = 0; n < count; n += 1, number += 1) {
      const keyFrame = number % perGroup === 0;
      const unit = { codec: 'h264', time: number * second, keyFrame, continues: false } as const;
      feed.push({ ...unit, data: Buffer.from([number]) }, true);
    }
  };
  const takeTurn = () => turns.shift()?.();
  const taken = () => given.splice(0);
  return { feed, push, takeTurn, taken, times };
}

test('asleep it gets key frames alone, and woken up what followed the last one', () => {
  const { feed, push, takeTurn, taken, times } = feeding();
  push(6);
  feed.sleep();
  push(5);
  expect(taken()).toEqual([0, 1, 2, 3, 4, 5, 8]);
  feed.wake('group');
  takeTurn();
  push(2);
  expect(taken()).toEqual([9, 10, 11, 12]);
  expect(times).toEqual([0, 1, 2, 3, 4, 5, 8, 9, 10, 11, 12].map((time) => time * second));
});

test('what it is given again comes later on its line of time, and says when it was', () => {
  const { feed, push, takeTurn, taken, times } = feeding();
  push(4);
  feed.sleep();
  push(5);
  expect(taken()).toEqual([0, 1, 2, 3, 4, 8]);
  feed.wake('before');
  takeTurn();
  push(1);
  expect(taken()).toEqual(['restart', 4, 5, 6, 7, 8, 9]);
  expect(times).toEqual([...times].sort((a, b) => a - b));
  expect(new Set(times).size).toBe(times.length);
  expect(feed.at(((times.at(-1) ?? 0) / second) * 1e6)).toBe(9e6);
});

test('a group that it fell asleep in is decoded from its beginning', () => {
  const { feed, push, takeTurn, taken, times } = feeding();
  push(2);
  feed.sleep();
  push(1);
  feed.wake('group');
  takeTurn();
  push(1);
  expect(taken()).toEqual([0, 1, 'restart', 0, 1, 2, 3]);
  expect(times).toEqual([...times].sort((a, b) => a - b));
});

test('what comes before its turn is not lost, and none is taken for a connection that has ended', () => {
  const { feed, push, takeTurn, taken } = feeding();
  push(4);
  feed.sleep();
  push(2);
  feed.wake('group');
  push(4);
  expect(taken()).toEqual([0, 1, 2, 3, 4]);
  takeTurn();
  expect(taken()).toEqual([5, 6, 7, 8, 9]);
  feed.sleep();
  push(3);
  feed.wake('before');
  feed.clear();
  takeTurn();
  expect(taken()).toEqual([12]);
});

test('woken up right at a key frame it goes on after that, whatever comes before its turn', () => {
  const { feed, push, takeTurn, taken } = feeding();
  push(4);
  feed.sleep();
  push(5);
  expect(taken()).toEqual([0, 1, 2, 3, 4, 8]);
  feed.wake('group');
  push(2);
  takeTurn();
  push(1);
  expect(taken()).toEqual([9, 10, 11]);
});

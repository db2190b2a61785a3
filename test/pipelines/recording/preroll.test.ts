import { describe, expect, test } from 'vitest';
import { makeLayout } from '../../../pipelines/mp4/init-segment.ts';
import { Preroll, type TimedFragment } from '../../../pipelines/recording/preroll.ts';

const second = 1_000_000;
const layout = makeLayout(
  { codec: 'h264', width: 16, height: 16, record: Buffer.alloc(0), parameterSets: [] },
  undefined,
);

/** A fragment of a second, or longer. */
function fragment(at: number, keyFrame: boolean, { size = 100, length = second } = {}): TimedFragment {
  return {
    layout,
    keyFrame,
    startUs: at * second,
    shownUs: at * second,
    lengthUs: length,
    time: at * second,
    endTime: at * second + length,
    video: [],
    audio: [],
    bytes: size,
  };
}

const times = (fragments: readonly TimedFragment[]) => fragments.map(({ time }) => time / second);

describe('the pre-roll', () => {
  test('reaches back as far as it must, from a key frame on, and no further than that needs', () => {
    const preroll = new Preroll({ length: 8 * second, bytes: 1e6 });
    for (let at = 0; at < 60; at += 1) preroll.push(fragment(at, at % 3 === 0));
    // It ends at 60, and 51 is the last key frame that is 8 s before that.
    expect(times(preroll.take())).toEqual([51, 52, 53, 54, 55, 56, 57, 58, 59]);
  });

  test('keeps a whole group of pictures when that alone is longer', () => {
    const preroll = new Preroll({ length: 8 * second, bytes: 1e6 });
    for (let at = 0; at < 45; at += 1) preroll.push(fragment(at, at % 20 === 0));
    expect(times(preroll.take())).toEqual(Array.from({ length: 25 }, (_, index) => 20 + index));
  });

  test('begins with a key frame', () => {
    const preroll = new Preroll({ length: 8 * second, bytes: 1e6 });
    for (const at of [1, 2, 3]) preroll.push(fragment(at, at === 3));
    expect(times(preroll.take())).toEqual([3]);
  });

  test('gives everything once', () => {
    const preroll = new Preroll({ length: 8 * second, bytes: 1e6 });
    preroll.push(fragment(0, true));
    expect(preroll.take()).toHaveLength(1);
    expect(preroll.take()).toEqual([]);
    expect(preroll.bytes).toBe(0);
    preroll.push(fragment(1, false));
    expect(preroll.take()).toEqual([]);
  });

  test('never holds more bytes than it may, and then still begins with a key frame', () => {
    const preroll = new Preroll({ length: 1000 * second, bytes: 1000 });
    for (let at = 0; at < 100; at += 1) {
      preroll.push(fragment(at, at % 4 === 0));
      expect(preroll.bytes).toBeLessThanOrEqual(1000);
    }
    const held = preroll.take();
    expect(held[0]?.keyFrame).toBe(true);
    expect(held.at(-1)?.time).toBe(99 * second);
  });

  test('gives up a group that is too large, and begins again with the next one', () => {
    const preroll = new Preroll({ length: 8 * second, bytes: 1000 });
    preroll.push(fragment(0, true, { size: 900 }));
    preroll.push(fragment(1, false, { size: 900 }));
    preroll.push(fragment(2, false, { size: 900 }));
    expect(preroll.bytes).toBe(0);
    expect(preroll.isBroken).toBe(true);
    preroll.push(fragment(3, true));
    expect(preroll.isBroken).toBe(false);
    expect(times(preroll.take())).toEqual([3]);
  });
});

import { describe, expect, test } from 'vitest';
import { MotionZones, type Zone } from '../../../../actors/detectors/motion/motion-zones.ts';
import { pixelRuns } from '../../../../actors/detectors/polygon.ts';

const whole = [
  [0, 0],
  [1_000_000, 0],
  [1_000_000, 1_000_000],
  [0, 1_000_000],
] as const;

const zone = (change: Partial<Zone> = {}): Zone => ({
  enable: true,
  sensitivity: 8,
  thresholdMin: 10,
  thresholdMax: 100,
  area: whole,
  ...change,
});

/** A 10×10 picture of one value with the first `count` pixels of another. */
function picture(value: number, count = 0, other = 0): Uint8Array {
  return new Uint8Array(100).fill(value).fill(other, 0, count);
}

const score = (zones: Zone[], before: Uint8Array, now: Uint8Array) =>
  new MotionZones(zones, 10, 10).compare(before, now);

describe('the score of a zone', () => {
  test('is the percentage of its pixels that changed by at least the sensitivity', () => {
    // Sensitivity 8 is trunc(8 * 2.56) = 20 steps of gray.
    expect(score([zone()], picture(100), picture(100, 48, 120))).toEqual([{ label: 'zone0', score: 48 }]);
    expect(score([zone()], picture(100), picture(100, 48, 80))).toEqual([{ label: 'zone0', score: 48 }]);
    expect(score([zone()], picture(100), picture(100, 48, 119))).toEqual([]);
  });

  test('counts every pixel at sensitivity 0, and only a change from black to white at 100', () => {
    expect(score([zone({ sensitivity: 0 })], picture(7), picture(7))).toEqual([
      { label: 'zone0', score: 100 },
    ]);
    expect(score([zone({ sensitivity: 100 })], picture(0), picture(0, 50, 255))).toHaveLength(1);
    expect(score([zone({ sensitivity: 100 })], picture(0), picture(0, 50, 254))).toEqual([]);
  });

  test('counts only the pixels inside the zone', () => {
    const upperHalf = [
      [0, 0],
      [1_000_000, 0],
      [1_000_000, 500_000],
      [0, 500_000],
    ] as const;
    expect(score([zone({ area: upperHalf })], picture(0), picture(0, 25, 255))).toEqual([
      { label: 'zone0', score: 50 },
    ]);
  });
});

describe('there is motion', () => {
  test('strictly between the thresholds', () => {
    const between = [zone({ thresholdMin: 10, thresholdMax: 50 })];
    const changed = (count: number) => score(between, picture(0), picture(0, count, 255)).length;
    expect([changed(10), changed(11), changed(49), changed(50)]).toEqual([0, 1, 1, 0]);
  });

  test('when everything has changed and the maximum is 100', () => {
    expect(score([zone()], picture(0), picture(255))).toEqual([{ label: 'zone0', score: 100 }]);
  });

  test('in each zone by itself, and a zone that is off renames no other', () => {
    const zones = [zone({ enable: false }), zone(), zone({ thresholdMin: 60 }), zone()];
    const moving = score(zones, picture(0), picture(0, 50, 255));
    expect(moving.map(({ label }) => label)).toEqual(['zone1', 'zone3']);
  });

  test('never in a zone without a pixel', () => {
    for (const area of [
      [],
      [[0, 0]],
      [
        [0, 0],
        [1_000_000, 1_000_000],
      ],
    ] as Zone['area'][]) {
      expect(score([zone({ area, sensitivity: 0, thresholdMin: -1 })], picture(0), picture(255))).toEqual([]);
    }
  });
});

describe('the pixels of a polygon', () => {
  const drawn = (area: Zone['area'], size: number) => {
    const pixels = new Array<string>(size * size).fill('.');
    const runs = pixelRuns(area, size, size);
    for (let run = 0; run < runs.length; run += 2) pixels.fill('#', runs[run], runs[run + 1]);
    return Array.from({ length: size }, (_, y) => pixels.slice(y * size, (y + 1) * size).join(''));
  };

  test('follow a slanted edge', () => {
    const triangle = [
      [0, 0],
      [1_000_000, 0],
      [0, 1_000_000],
    ] as const;
    expect(drawn(triangle, 4)).toEqual(['####', '###.', '##..', '#...']);
  });

  test('leave out the hole of a polygon that crosses itself', () => {
    const ring = [
      [0, 0],
      [1_000_000, 0],
      [1_000_000, 1_000_000],
      [0, 1_000_000],
      [0, 0],
      [250_000, 250_000],
      [250_000, 750_000],
      [750_000, 750_000],
      [750_000, 250_000],
      [250_000, 250_000],
    ] as const;
    expect(drawn(ring, 4)).toEqual(['####', '#..#', '#..#', '####']);
  });

  test('stay inside the picture when the corners do not', () => {
    const outside = [
      [0, 0],
      [3_000_000, 0],
      [3_000_000, 3_000_000],
      [0, 3_000_000],
    ] as const;
    expect(drawn(outside, 2)).toEqual(['##', '##']);
  });
});

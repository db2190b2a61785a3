import { describe, expect, test } from 'vitest';
import { Mask } from '../../../../../actors/detectors/objects/mask.ts';
import { MotionRegion } from '../../../../../actors/detectors/objects/picture/motion-region.ts';
import {
  boxOf,
  croppedRegion,
  placeInPicture,
  regionAround,
} from '../../../../../actors/detectors/objects/picture/region.ts';
import { type Picture, Scaler } from '../../../../../actors/detectors/objects/picture/scaler.ts';
import { BestSnapshots } from '../../../../../actors/detectors/objects/snapshots/best-snapshots.ts';

const black = (width: number, height: number): Picture => ({
  width,
  height,
  data: new Uint8Array(width * height * 3),
});

/** The picture with a white rectangle in it. */
function withRectangle(picture: Picture, x: number, y: number, width: number, height: number): Picture {
  const data = Uint8Array.from(picture.data);
  for (let row = y; row < y + height; row += 1) {
    data.fill(255, (row * picture.width + x) * 3, (row * picture.width + x + width) * 3);
  }
  return { ...picture, data };
}

describe('a picture for a model', () => {
  const range = { factor: 2 / 255, offset: -1 };

  test('shows everything where it is, from -1 to 1', () => {
    const picture = withRectangle(black(640, 480), 320, 240, 320, 240);
    const output = new Float32Array(30 * 30 * 3);
    new Scaler(picture, { x: 0, y: 0, width: 640, height: 480 }, [30, 30]).scale(picture.data, output, range);
    const at = (x: number, y: number) => output[(y * 30 + x) * 3];
    expect([at(14, 14), at(15, 14), at(14, 15), at(15, 15), at(29, 29)]).toEqual([-1, -1, -1, 1, 1]);
  });

  test('keeps its colours apart', () => {
    const picture = black(8, 8);
    for (let pixel = 0; pixel < 64; pixel += 1) picture.data.set([255, 127, 0], pixel * 3);
    const output = new Uint8Array(4 * 4 * 3);
    new Scaler(picture, { x: 0, y: 0, width: 8, height: 8 }, [4, 4]).scale(picture.data, output, {
      factor: 1,
      offset: 0,
    });
    expect([...output.subarray(0, 6)]).toEqual([255, 127, 0, 255, 127, 0]);
  });

  test('shows a part larger, and pixels beyond the edge as the edge', () => {
    const picture = withRectangle(black(100, 100), 90, 90, 10, 10);
    const output = new Float32Array(20 * 20 * 3);
    new Scaler(picture, { x: 80, y: 80, width: 40, height: 40 }, [20, 20]).scale(picture.data, output, range);
    expect(output[0]).toBe(-1);
    expect(output[(10 * 20 + 10) * 3]).toBe(1);
    expect(output.at(-1)).toBe(1);
  });
});

describe('the part that is looked at', () => {
  const picture = { width: 640, height: 480 };
  const whole = { x: 0, y: 0, width: 640, height: 480 };
  const small = { left: 0.1, top: 0.1, right: 0.15, bottom: 0.2 };

  test('is all of it without a crop, and a square with one', () => {
    expect(croppedRegion({ x: 0, y: 0, size: 1_000_000 }, picture)).toEqual(whole);
    expect(croppedRegion({ x: 250_000, y: 100_000, size: 500_000 }, picture)).toEqual({
      x: 160,
      y: 64,
      width: 320,
      height: 320,
    });
  });

  test('is around what moves, in the shape of the whole, and inside', () => {
    const part = regionAround([small], whole, picture);
    expect(part.width / part.height).toBeCloseTo(4 / 3);
    expect(part.width).toBeGreaterThanOrEqual(300);
    expect(part.width).toBeLessThan(500);
    expect(part).toMatchObject({ x: 0, y: 0 });
    const corner = regionAround([{ left: 0.9, top: 0.9, right: 1, bottom: 1 }], whole, picture);
    expect([corner.x + corner.width, corner.y + corner.height]).toEqual([640, 480]);
  });

  test('is the whole when what moves is all over it, or nothing does', () => {
    expect(regionAround([small, { ...small, left: 0.8, right: 0.9 }], whole, picture)).toBe(whole);
    expect(regionAround([], whole, picture)).toBe(whole);
  });

  test('gives its boxes back as places in the picture', () => {
    const part = boxOf({ x: 160, y: 120, width: 320, height: 240 }, picture);
    expect(placeInPicture({ left: 0, top: 0, right: 0.5, bottom: 1 }, part)).toEqual({
      left: 0.25,
      top: 0.25,
      right: 0.5,
      bottom: 0.75,
    });
  });
});

describe('movement', () => {
  test('is what surrounds all that differs from the picture before', () => {
    const movement = new MotionRegion();
    expect(movement.between(black(640, 480))).toBeUndefined();
    const found = movement.between(withRectangle(black(640, 480), 320, 240, 64, 48));
    expect(found?.left).toBeGreaterThan(0.46);
    expect(found?.left).toBeLessThanOrEqual(0.5);
    expect(found?.right).toBeGreaterThanOrEqual(0.6);
    expect(found?.bottom).toBeLessThan(0.65);
  });

  test('is not noise in a place, and not another size', () => {
    const movement = new MotionRegion();
    movement.between(black(640, 480));
    expect(movement.between(withRectangle(black(640, 480), 80, 80, 8, 8))).toBeUndefined();
    expect(movement.between(withRectangle(black(320, 240), 0, 0, 320, 240))).toBeUndefined();
  });
});

test('the mask hides what has its centre inside, and nothing when it is off', () => {
  const area: [number, number][] = [
    [0, 0],
    [500_000, 0],
    [500_000, 1_000_000],
    [0, 1_000_000],
  ];
  const on = new Mask({ enable: true, area });
  const box = (x: number) => ({ left: x - 0.2, top: 0.4, right: x + 0.2, bottom: 0.6 });
  expect(on.hides(box(0.45))).toBe(true);
  expect(on.hides(box(0.55))).toBe(false);
  expect(new Mask({ enable: false, area }).hides(box(0.45))).toBe(false);
});

test('of an event’s pictures the first is kept at once, a better one later, and none twice', () => {
  const kept: string[] = [];
  const pictures = Array.from({ length: 8 }, () => black(4, 4));
  const best = new BestSnapshots((id, picture) => kept.push(`${id} ${pictures.indexOf(picture)}`));
  const offer = (index: number, score: number, seconds: number) =>
    best.offer('e', score, pictures[index] as Picture, seconds * 1e6);
  offer(0, 0.5, 0);
  offer(1, 0.6, 1);
  offer(2, 0.7, 1.5);
  expect(kept).toEqual(['e 0']);
  offer(3, 0.6, 2);
  expect(kept).toEqual(['e 0', 'e 2']);
  offer(4, 0.8, 2.5);
  best.finish('e');
  best.finish('e');
  expect(kept).toEqual(['e 0', 'e 2', 'e 4']);
});

test('at the end the picture with the best score is kept, however little better it is', () => {
  const kept: number[] = [];
  const pictures = Array.from({ length: 3 }, () => black(4, 4));
  const best = new BestSnapshots((_, picture) => kept.push(pictures.indexOf(picture)));
  [0.5, 0.52, 0.525].forEach((score, index) => {
    best.offer('e', score, pictures[index] as Picture, index * 3e6);
  });
  expect(kept).toEqual([0]);
  best.finish('e');
  expect(kept).toEqual([0, 2]);
});

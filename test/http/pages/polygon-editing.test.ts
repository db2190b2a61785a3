import { expect, test } from 'vitest';
import {
  middles,
  type Polygon,
  shifted,
  usualPolygon,
  wholePolygon,
  withCorner,
  withNewCorner,
  withoutCorner,
} from '../../../http/pages/app/settings/zones/polygon-editing.ts';

const triangle: Polygon = [
  [0, 0],
  [1_000_000, 0],
  [0, 500_000],
];

test('a corner is moved, and stays in the picture', () => {
  expect(withCorner(triangle, 2, [10.4, 2_000_000])).toEqual([
    [0, 0],
    [1_000_000, 0],
    [10, 1_000_000],
  ]);
});

test('a corner is added in the edge that begins at another, up to 256', () => {
  expect(middles(triangle)[1]).toEqual([500_000, 250_000]);
  expect(withNewCorner(triangle, 1, [500_000, 250_000])[2]).toEqual([500_000, 250_000]);
  expect(withNewCorner(triangle, 2, [0, 250_000]).at(-1)).toEqual([0, 250_000]);
  const full: Polygon = Array.from({ length: 256 }, () => [0, 0] as const);
  expect(withNewCorner(full, 0, [1, 1])).toBe(full);
});

test('a corner is removed, but three remain', () => {
  expect(withoutCorner(usualPolygon, 0)).toEqual(usualPolygon.slice(1));
  expect(withoutCorner(triangle, 0)).toBe(triangle);
});

test('a polygon is moved in its shape up to the edge of the picture', () => {
  expect(shifted(usualPolygon, 400_000, -100_000)[0]).toEqual([500_000, 150_000]);
  expect(shifted(usualPolygon, 400_000, -100_000)[2]).toEqual([1_000_000, 650_000]);
  expect(shifted(wholePolygon, 5, -5)).toEqual(wholePolygon);
});

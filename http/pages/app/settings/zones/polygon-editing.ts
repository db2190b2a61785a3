/** Polygons in millionths of the picture's width and height, changed by copies. */

export type Corner = readonly [x: number, y: number];
export type Polygon = readonly Corner[];

/** A polygon that can be chosen and changed. */
export interface Shape {
  /** JSON pointer of its polygon. */
  readonly pointer: string;
  readonly name: string;
  readonly kind: 'zone' | 'mask';
  readonly enabled: boolean;
  readonly polygon: Polygon;
}

const whole = 1_000_000;
const minCorners = 3;
/** The most that a monitor's configuration may have. */
const maxCorners = 256;

const inside = (value: number) => Math.round(Math.min(whole, Math.max(0, value)));

/** A rectangle in the middle of the picture. */
export const usualPolygon: Polygon = [
  [250_000, 250_000],
  [750_000, 250_000],
  [750_000, 750_000],
  [250_000, 750_000],
];

export const wholePolygon: Polygon = [
  [0, 0],
  [whole, 0],
  [whole, whole],
  [0, whole],
];

/** One corner elsewhere; never outside of the picture. */
export function withCorner(polygon: Polygon, index: number, [x, y]: Corner): Polygon {
  return polygon.with(index, [inside(x), inside(y)]);
}

/** A new corner on the edge that begins at `index`. @returns the same polygon if it has as many as it may have */
export function withNewCorner(polygon: Polygon, index: number, [x, y]: Corner): Polygon {
  return polygon.length >= maxCorners ? polygon : polygon.toSpliced(index + 1, 0, [inside(x), inside(y)]);
}

/** One corner less. @returns the same polygon if it would be none any more */
export function withoutCorner(polygon: Polygon, index: number): Polygon {
  return polygon.length <= minCorners ? polygon : polygon.toSpliced(index, 1);
}

/** All of it elsewhere, in its shape, up to the edge of the picture. */
export function shifted(polygon: Polygon, dx: number, dy: number): Polygon {
  const [stepX, stepY] = [within(polygon, 0, dx), within(polygon, 1, dy)];
  return polygon.map(([x, y]) => [x + stepX, y + stepY]);
}

function within(polygon: Polygon, axis: 0 | 1, step: number): number {
  const values = polygon.map((corner) => corner[axis]);
  return Math.round(Math.min(whole - Math.max(...values), Math.max(-Math.min(...values), step)));
}

/** Whether a point is inside, by the even-odd rule, as detectors see it. Nothing is inside of a polygon without corners. */
export function isInside(polygon: Polygon, [x, y]: Corner): boolean {
  const crossings = polygon.filter(([toX, toY], index) => {
    const [fromX, fromY] = polygon.at(index - 1) ?? [toX, toY];
    return fromY > y !== toY > y && x < fromX + ((y - fromY) * (toX - fromX)) / (toY - fromY);
  });
  return crossings.length % 2 === 1;
}

/** The middle of each edge; the edge at `index` begins at the corner with that index. */
export function middles(polygon: Polygon): Polygon {
  return polygon.map(([x, y], index) => {
    const [nextX, nextY] = polygon[(index + 1) % polygon.length] ?? [x, y];
    return [Math.round((x + nextX) / 2), Math.round((y + nextY) / 2)];
  });
}

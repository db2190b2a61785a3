/** A corner in millionths of the frame's width and height. */
export type Point = readonly [x: number, y: number];

const whole = 1_000_000;

/**
 * The pixels inside a polygon as runs `[start, end)` of offsets into a frame of `width * height` pixels.
 *
 * Corners are rounded up to pixels; a pixel is inside by the even-odd rule, so a polygon that crosses itself has
 * holes. Runs rather than a mask: only the pixels of the zone are visited, in the order of memory.
 */
export function pixelRuns(area: readonly Point[], width: number, height: number): Uint32Array {
  const corners = area.map(
    ([x, y]) => [Math.ceil((x * width) / whole), Math.ceil((y * height) / whole)] as const,
  );
  const runs: number[] = [];
  for (let y = 0; y < height; y += 1) {
    const crossings = crossingsAt(corners, y).map((x) => Math.min(width, Math.max(0, Math.ceil(x))));
    for (let pair = 0; pair + 1 < crossings.length; pair += 2) {
      const [from = 0, to = 0] = [crossings[pair], crossings[pair + 1]];
      if (to > from) runs.push(y * width + from, y * width + to);
    }
  }
  return Uint32Array.from(runs);
}

/** Whether a point, in millionths like the corners, is inside the polygon by the even-odd rule. */
export function containsPoint(area: readonly Point[], [x, y]: Point): boolean {
  return crossingsAt(area, y).filter((crossing) => x < crossing).length % 2 === 1;
}

/** The crossings of the polygon's edges with a row, from left to right. An edge includes its upper end, not its lower one. */
function crossingsAt(corners: readonly Point[], y: number): number[] {
  const crossings: number[] = [];
  let previous = corners.at(-1);
  for (const corner of corners) {
    const [x1, y1] = previous ?? corner;
    const [x2, y2] = corner;
    if (y1 > y !== y2 > y) crossings.push(x1 + ((y - y1) * (x2 - x1)) / (y2 - y1));
    previous = corner;
  }
  return crossings.sort((a, b) => a - b);
}

/** Numbers of columns to choose from, and where the choice is kept. */
export const layouts = ['auto', '1', '2', '3', '4'] as const;
export const layoutKey = 'live.columns';

const tileRatio = 16 / 9;
/** Between tiles, as in the style sheet. */
const gap = 8;
/** A tile that is narrower than this, in CSS pixels, is not worth a column of its own. */
const leastTileWidth = 280;

/**
 * The columns with which tiles are largest, all of them on the screen if they can be, and the width of the grid then.
 * Lengths are in CSS pixels.
 */
export function bestGrid(
  count: number,
  width: number,
  height: number,
): { readonly columns: number; readonly width: number } {
  let best = { columns: 1, tileWidth: 0 };
  for (let columns = 1; columns <= count; columns += 1) {
    const rows = Math.ceil(count / columns);
    const tileWidth = Math.min(
      (width - gap * (columns - 1)) / columns,
      ((height - gap * (rows - 1)) / rows) * tileRatio,
    );
    if (tileWidth > best.tileWidth) best = { columns, tileWidth };
  }
  const { columns, tileWidth } = best;
  if (tileWidth >= leastTileWidth)
    return { columns, width: Math.floor(columns * tileWidth + gap * (columns - 1)) };
  // Too many for one screen: they scroll, as large as is reasonable.
  return { columns: Math.max(1, Math.floor(width / leastTileWidth)), width };
}

/** Physical pixels. Between the two, the stream stays as it is, so that a tile on the edge does not flicker. */
const subBelow = 640;
const mainAbove = 800;

export function streamForWidth(
  width: number,
  pixelRatio: number,
  present: 'main' | 'sub' | undefined,
): 'main' | 'sub' {
  const pixels = width * pixelRatio;
  if (pixels <= subBelow) return 'sub';
  if (pixels >= mainAbove) return 'main';
  return present ?? 'main';
}

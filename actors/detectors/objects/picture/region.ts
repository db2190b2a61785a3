import type { BoundingBox } from './bounding-box.ts';
import type { Picture, Region } from './scaler.ts';

/** The region of a frame that is scaled to the model's input. */

const whole = 1_000_000;
/** Margin around motion on each side, as a fraction of its size. */
const margin = 0.15;
/** Pixels. A region smaller than the model's input shows no more detail. */
const minSize = 300;
/** A region larger than this fraction of the base is not worth zooming in. */
const maxShare = 0.75;
/** Sizes are multiples of a sixteenth of the base and positions of 16 pixels, so that few different regions occur. */
const grid = 16;

export interface CropSettings {
  readonly x: number;
  readonly y: number;
  readonly size: number;
}

/**
 * The region that the user has configured. A crop is a square in millionths of the frame's longer side, as in
 * SentryShot; a crop of the full size is the whole frame, whatever its shape.
 */
export function croppedRegion(
  { x, y, size }: CropSettings,
  picture: Pick<Picture, 'width' | 'height'>,
): Region {
  if (size >= whole) return { x: 0, y: 0, width: picture.width, height: picture.height };
  const side = Math.max(picture.width, picture.height) / whole;
  return { x: x * side, y: y * side, width: size * side, height: size * side };
}

/**
 * The region around motion, in which small objects appear larger to the model. It is inside `base` and has its shape.
 *
 * @param boxes in fractions of the frame.
 * @returns `base` if there are no boxes, or if they cover most of it.
 */
export function regionAround(
  boxes: readonly BoundingBox[],
  base: Region,
  picture: Pick<Picture, 'width' | 'height'>,
): Region {
  if (boxes.length === 0) return base;
  const left = Math.min(...boxes.map((box) => box.left)) * picture.width;
  const top = Math.min(...boxes.map((box) => box.top)) * picture.height;
  const right = Math.max(...boxes.map((box) => box.right)) * picture.width;
  const bottom = Math.max(...boxes.map((box) => box.bottom)) * picture.height;
  const share = Math.max(
    ((right - left) * (1 + 2 * margin)) / base.width,
    ((bottom - top) * (1 + 2 * margin)) / base.height,
    minSize / base.width,
    minSize / base.height,
  );
  if (share > maxShare) return base;
  const steps = Math.ceil(share * grid) / grid;
  const [width, height] = [base.width * steps, base.height * steps];
  return {
    x: within((left + right - width) / 2, base.x, base.x + base.width - width, grid),
    y: within((top + bottom - height) / 2, base.y, base.y + base.height - height, grid),
    width,
    height,
  };
}

/** Converts a region from pixels to fractions of the frame. */
export function boxOf(
  { x, y, width, height }: Region,
  picture: Pick<Picture, 'width' | 'height'>,
): BoundingBox {
  return {
    left: x / picture.width,
    top: y / picture.height,
    right: (x + width) / picture.width,
    bottom: (y + height) / picture.height,
  };
}

/** Converts a box from fractions of a region to fractions of the frame. */
export function placeInPicture(box: BoundingBox, part: BoundingBox): BoundingBox {
  const [width, height] = [part.right - part.left, part.bottom - part.top];
  return {
    left: part.left + box.left * width,
    top: part.top + box.top * height,
    right: part.left + box.right * width,
    bottom: part.top + box.bottom * height,
  };
}

function within(value: number, min: number, max: number, step: number): number {
  return Math.min(max, Math.max(min, Math.round(value / step) * step));
}

import type { BoundingBox } from './bounding-box.ts';
import type { Picture, Region } from './scaler.ts';

/** Which part of a picture a model is shown. */

const whole = 1_000_000;
/** How far beyond what moves one looks, as a part of its size. */
const margin = 0.15;
/** A smaller part than the model's input shows nothing more. */
const minSize = 300;
/** A part that is almost the whole is no help. */
const maxShare = 0.75;
/** A part's borders are on a grid, so that the same few parts come again. */
const grid = 16;

export interface CropSettings {
  readonly x: number;
  readonly y: number;
  readonly size: number;
}

/**
 * The part that the user wants to be looked at. A crop is a square, in millionths of the picture's longer side, as
 * in SentryShot; the whole picture is shown as a whole, whatever its shape.
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
 * The part around what moves: there small objects are shown larger. It has the shape of `base` and lies in it.
 *
 * @param boxes in fractions of the picture.
 * @returns `base` when there are none, or when they lie all over it.
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

/** In fractions of the picture. */
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

/** From fractions of a part to fractions of the picture. */
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

import type { BoundingBox } from './bounding-box.ts';
import type { Picture } from './scaler.ts';

/** Pixels: side of the square cells in which frames are compared. */
const cell = 8;
/** The least change of a cell's brightness (0 to 255) that counts as motion. */
const minChange = 14;

/** Finds the region in which a frame differs from the previous one, coarsely and quickly. */
export class MotionRegion {
  #before: { readonly width: number; readonly height: number; readonly cells: Int16Array } | undefined;

  /** @returns a box around all motion; undefined if nothing moved or there is no previous frame of this size. */
  between(picture: Picture): BoundingBox | undefined {
    const before = this.#before;
    const cells = brightness(picture);
    this.#before = { width: picture.width, height: picture.height, cells };
    if (before?.width !== picture.width || before.height !== picture.height) return undefined;
    const columns = Math.floor(picture.width / cell);
    const rows = Math.floor(picture.height / cell);
    const moved = (row: number, column: number) => {
      const index = row * columns + column;
      return Math.abs((cells[index] as number) - (before.cells[index] as number)) >= minChange;
    };
    let [left, top, right, bottom] = [columns, rows, 0, 0];
    for (let row = 1; row < rows; row += 1) {
      for (let column = 1; column < columns; column += 1) {
        // A single cell is noise.
        if (!moved(row, column) || !(moved(row - 1, column) || moved(row, column - 1))) continue;
        left = Math.min(left, column - 1);
        top = Math.min(top, row - 1);
        right = Math.max(right, column + 1);
        bottom = Math.max(bottom, row + 1);
      }
    }
    if (right === 0) return undefined;
    return { left: left / columns, top: top / rows, right: right / columns, bottom: bottom / rows };
  }
}

/** The mean green value of four pixels of each cell; green contributes most to brightness. */
function brightness({ width, height, data }: Picture): Int16Array {
  const columns = Math.floor(width / cell);
  const rows = Math.floor(height / cell);
  const cells = new Int16Array(columns * rows);
  const stride = width * 3;
  const [near, far] = [cell / 4, (3 * cell) / 4];
  for (let row = 0; row < rows; row += 1) {
    for (let column = 0; column < columns; column += 1) {
      const first = (row * cell + near) * stride + (column * cell + near) * 3 + 1;
      const second = first + (far - near) * stride;
      const across = (far - near) * 3;
      cells[row * columns + column] =
        ((data[first] as number) +
          (data[first + across] as number) +
          (data[second] as number) +
          (data[second + across] as number)) >>
        2;
    }
  }
  return cells;
}

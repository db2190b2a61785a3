/** Anchors: boxes to which an SSD's predictions are relative. Four numbers each: centre y and x, height, width. */

const layers = 6;
const smallest = 0.2;
const largest = 0.95;
const ratios = [1, 2, 1 / 2, 3, 1 / 3];

/**
 * Makes the anchors of an SSD MobileNet as TensorFlow's Object Detection API does.
 *
 * @param size side of the model's square input in pixels.
 */
export function makeAnchors(size: number): Float32Array {
  const anchors: number[] = [];
  const scale = (layer: number) =>
    layer < layers ? smallest + ((largest - smallest) * layer) / (layers - 1) : 1;
  let grid = Math.ceil(size / 16);
  for (let layer = 0; layer < layers; layer += 1) {
    const shapes =
      layer === 0
        ? [shape(0.1, 1), shape(scale(0), 2), shape(scale(0), 1 / 2)]
        : [
            ...ratios.map((ratio) => shape(scale(layer), ratio)),
            shape(Math.sqrt(scale(layer) * scale(layer + 1)), 1),
          ];
    for (let row = 0; row < grid; row += 1) {
      for (let column = 0; column < grid; column += 1) {
        for (const { height, width } of shapes) {
          anchors.push((row + 0.5) / grid, (column + 0.5) / grid, height, width);
        }
      }
    }
    grid = Math.ceil(grid / 2);
  }
  return Float32Array.from(anchors);
}

function shape(scale: number, ratio: number): { height: number; width: number } {
  return { height: scale / Math.sqrt(ratio), width: scale * Math.sqrt(ratio) };
}

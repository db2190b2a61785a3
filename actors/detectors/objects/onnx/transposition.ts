/**
 * Transposes a tensor of four axes.
 *
 * @param order for each new axis, the index of the old one.
 */
export function transpose<Numbers extends Float32Array | Uint16Array>(
  data: Numbers,
  shape: readonly number[],
  order: readonly number[],
): Numbers {
  // Most convolutions have a kernel of 1×1: if the axes longer than 1 keep their order, the data does not change.
  const moved = (sizes: readonly number[]) => sizes.filter((axis) => at(shape, axis) > 1);
  if (moved(order).every((axis, index) => axis === moved([0, 1, 2, 3])[index])) return data;
  const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((size, next) => size * next, 1));
  const [a = 1, b = 1, c = 1, d = 1] = order.map((axis) => at(shape, axis));
  const [sa = 0, sb = 0, sc = 0, sd = 0] = order.map((axis) => at(strides, axis));
  const turned = data.slice() as Numbers;
  let next = 0;
  for (let i = 0; i < a; i += 1) {
    for (let j = 0; j < b; j += 1) {
      for (let k = 0; k < c; k += 1) {
        for (let l = 0; l < d; l += 1) {
          turned[next] = data[i * sa + j * sb + k * sc + l * sd] as number;
          next += 1;
        }
      }
    }
  }
  return turned;
}

const at = (list: readonly number[], index: number) => list[index] as number;

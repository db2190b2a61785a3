/**
 * TensorFlow's SAME padding of height and width: as many pixels as the output's size requires, an odd one at the end.
 *
 * @returns the padding before height and width, then the padding after height and width.
 */
export function samePads(
  input: readonly number[],
  output: readonly number[],
  kernel: readonly number[],
  strides: readonly number[],
  dilations: readonly number[],
): number[] {
  const whole = input.map((size, axis) => {
    const reach = (at(kernel, axis) - 1) * at(dilations, axis) + 1;
    return Math.max(0, (at(output, axis) - 1) * at(strides, axis) + reach - size);
  });
  const before = whole.map((pad) => Math.floor(pad / 2));
  return [...before, ...whole.map((pad, axis) => pad - at(before, axis))];
}

const at = (list: readonly number[], index: number) => list[index] as number;

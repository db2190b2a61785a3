const sign = 0x8000;
const exponent = 0x7c00;
const fraction = 0x03ff;
/** From where an exponent counts in half precision to where it does in single. */
const rebias = 127 - 15;

/** IEEE 754 half precision to single, bit by bit. */
export function widenFloat16(bytes: Uint8Array): Float32Array<ArrayBuffer> {
  // A copy, because the place in the file need not be a multiple of two.
  const halves = new Uint16Array(Uint8Array.from(bytes).buffer);
  const wide = new Uint32Array(halves.length);
  const numbers = new Float32Array(wide.buffer);
  for (let index = 0; index < halves.length; index += 1) {
    const half = halves[index] as number;
    const power = half & exponent;
    if (power === 0) {
      // Zero, and what is too small to have a leading one.
      numbers[index] = (half & sign ? -1 : 1) * (half & fraction) * 2 ** -24;
    } else {
      const widened = power === exponent ? 255 : (power >> 10) + rebias;
      wide[index] = ((half & sign) << 16) | (widened << 23) | ((half & fraction) << 13);
    }
  }
  return numbers;
}

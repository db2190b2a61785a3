import type { VideoConfig } from './nal-unit.ts';

/** H.264 and H.265 with start codes before NAL units (annex B), as encoders and decoders have it. */

const startCode = Buffer.from([0, 0, 1]);
const longStartCode = Buffer.from([0, 0, 0, 1]);

/** @returns the NAL units between the start codes, sharing the data's memory */
export function splitByteStream(data: Buffer): Buffer[] {
  const nals: Buffer[] = [];
  let begin = data.indexOf(startCode);
  while (begin >= 0) {
    begin += startCode.length;
    const next = data.indexOf(startCode, begin);
    let end = next < 0 ? data.length : next;
    // Zeros at the end belong to the next start code; no NAL unit ends in one.
    while (end > begin && data[end - 1] === 0) end -= 1;
    if (end > begin) nals.push(data.subarray(begin, end));
    begin = next;
  }
  return nals;
}

/**
 * @param data NAL units, each after its length in four bytes
 * @param config whose parameter sets go before them
 */
export function toByteStream(data: Buffer, config?: VideoConfig): Buffer {
  const sets = (config?.parameterSets ?? []).flatMap((set) => [longStartCode, set]);
  const whole = Buffer.concat([...sets, data]);
  const offset = whole.length - data.length;
  for (let at = offset; at + 4 <= whole.length; ) {
    const length = whole.readUInt32BE(at);
    longStartCode.copy(whole, at);
    at += 4 + length;
  }
  return whole;
}

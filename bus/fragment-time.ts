import { box } from './base/box-writer.ts';

/**
 * The box in which a fragment of a recording says when its first picture was taken; in `moof`, because players skip what
 * they do not know there (ISO/IEC 14496-12, section 11.1). A version 4 UUID of our own, and Unix time in microseconds.
 */
const usertype = Buffer.from('d3a7c1e05b8f4f6e9a41c06f27b9e815', 'hex');
const timeBytes = 8;

/** @param timeUs Unix time in microseconds */
export function fragmentTimeBox(timeUs: number): Buffer {
  const time = Buffer.alloc(timeBytes);
  time.writeBigUInt64BE(BigInt(Math.max(0, Math.round(timeUs))));
  return box('uuid', usertype, time);
}

/** @param content of a box `uuid`. @returns Unix time in microseconds; undefined if it is a box of another kind. */
export function readFragmentTime(content: Buffer): number | undefined {
  const isOurs = content.length >= usertype.length + timeBytes && content.indexOf(usertype) === 0;
  return isOurs ? Number(content.readBigUInt64BE(usertype.length)) : undefined;
}

import { box } from './base/box-writer.ts';
import type { MachineStart } from './base/machine-clock.ts';

/** When the first picture of a fragment was taken. */
export interface FragmentTime {
  /** Unix time in microseconds. */
  readonly timeUs: number;
  /** By which clock; recordings of older versions do not say it. */
  readonly machine?: MachineStart | undefined;
}

/**
 * The box in which a fragment of a recording says when its first picture was taken; in `moof`, because players skip what
 * they do not know there (ISO/IEC 14496-12, section 11.1). A version 4 UUID of our own, Unix time, and the clock: when the
 * machine was started by it, and the mark of that start. Times in microseconds.
 */
const usertype = Buffer.from('d3a7c1e05b8f4f6e9a41c06f27b9e815', 'hex');
const timeBytes = 8;
const bootBytes = 16;
const contentBytes = usertype.length + 2 * timeBytes + bootBytes;

export function fragmentTimeBox(time: FragmentTime): Buffer {
  return box('uuid', fragmentTimeContent(time));
}

/** The box without its header: as long as before if other times are written into a file. */
export function fragmentTimeContent({ timeUs, machine }: FragmentTime): Buffer {
  const content = Buffer.alloc(machine ? contentBytes : usertype.length + timeBytes);
  let at = usertype.copy(content);
  at = content.writeBigUInt64BE(BigInt(Math.max(0, Math.round(timeUs))), at);
  if (!machine) return content;
  // By a clock without a battery a machine may have been started before 1970.
  at = content.writeBigInt64BE(BigInt(Math.round(machine.startedUs)), at);
  content.write(machine.boot, at, 'hex');
  return content;
}

/** @param content of a box `uuid`. @returns undefined if it is a box of another kind. */
export function readFragmentTime(content: Buffer): FragmentTime | undefined {
  const isOurs = content.length >= usertype.length + timeBytes && content.indexOf(usertype) === 0;
  if (!isOurs) return undefined;
  let at = usertype.length;
  const timeUs = Number(content.readBigUInt64BE(at));
  if (content.length < contentBytes) return { timeUs };
  at += timeBytes;
  const startedUs = Number(content.readBigInt64BE(at));
  at += timeBytes;
  return { timeUs, machine: { startedUs, boot: content.toString('hex', at, at + bootBytes) } };
}

import type { FakeItem } from './fake-camera.ts';
import { writeRtp } from './rtp-writer.ts';

/** Video and other packets of a fake camera, each of which holds nothing but its number. */

export const packet = (sequence: number, payloadType = 96) =>
  writeRtp({ sequence, timestamp: sequence * 3000, payload: Buffer.from([sequence]), payloadType });

/** The first packets of the first track. */
export const video = (count: number): FakeItem[] =>
  Array.from({ length: count }, (_, sequence) => ({ channel: 0, data: packet(sequence) }));

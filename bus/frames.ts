import { headers, type MsgHdrs } from '@nats-io/transport-node';
import { type FrameFormat, frameFormats } from './messages.ts';

/** One raw frame. `data` holds `width * height` bytes for gray, three times as many for rgb, without padding. */
export interface Frame {
  readonly format: FrameFormat;
  readonly width: number;
  readonly height: number;
  /** Capture time: Unix time in microseconds. */
  readonly timeUs: number;
  /** Counts the frames of one connection to the camera, from 0. */
  readonly sequence: number;
  readonly data: Uint8Array;
}

export const bytesPerPixel: Readonly<Record<FrameFormat, number>> = { gray: 1, rgb: 3 };

/** Everything about a frame except its bytes, as one header: the payload is the frame's bytes, without a copy. */
export function frameHeaders(frame: Omit<Frame, 'data'>): MsgHdrs {
  const values = headers();
  values.set('Frame', `${frame.format} ${frame.width} ${frame.height} ${frame.timeUs} ${frame.sequence}`);
  return values;
}

/** @returns undefined if the message is not a complete frame. */
export function readFrame(data: Uint8Array, values: MsgHdrs | undefined): Frame | undefined {
  const fields = /^(\w+) (\d+) (\d+) (\d+) (\d+)$/.exec(values?.get('Frame') ?? '');
  const format = frameFormats.find((name) => name === fields?.[1]);
  if (!fields || !format) return undefined;
  const [width, height, sequence] = [Number(fields[2]), Number(fields[3]), Number(fields[5])];
  if (data.length !== width * height * bytesPerPixel[format]) return undefined;
  return { format, width, height, sequence, timeUs: Number(fields[4]), data };
}

import { type MessagePart, PartJoiner, partsOf } from './message-parts.ts';

/** A picture that was not sent: key frames alone were wanted. */
export interface PassedPicture {
  readonly bytes: number;
  /** When it was taken: Unix time in microseconds. */
  readonly timeUs: number;
}

/** An encoded picture (an access unit) on its way to the process that decodes it: bytes behind one header, never JSON. */
export interface UnitPacket {
  /** Unique: the pictures of one session follow each other on one line of media time. */
  readonly session: string;
  /** Counts the pictures of a session from 0. */
  readonly sequence: number;
  /** How many more pictures of the last group follow at once. */
  readonly remaining: number;
  readonly codec: 'h264' | 'h265';
  readonly keyFrame: boolean;
  /** No picture, and no data: it and those in `passed` were not sent, and it may be time to ask for them. */
  readonly isNotice: boolean;
  /** These are the missing slices of the picture before. */
  readonly continues: boolean;
  readonly width: number;
  readonly height: number;
  /** When it is shown, in ticks of 90 kHz of the session's media time. */
  readonly time: number;
  /** When it was taken: Unix time in microseconds. */
  readonly timeUs: number;
  /** NAL units with start codes before them; parameter sets before those of a key frame. */
  readonly data: Uint8Array;
  /** It was asked for once more: it may have come before, and its session goes on with it. */
  readonly again: boolean;
  /** So many of the pictures just before it are not sent. */
  readonly passed: number;
  /** Of those, as far as they are known, without missing slices of others. */
  readonly sizes: readonly PassedPicture[];
}

const kinds = ['picture', 'key', 'continued', 'notice'] as const;

/** Pictures that follow each other in one message, as it goes over the bus. */
export function unitPartsOf(units: readonly UnitPacket[]): MessagePart[] {
  const [only, second] = units;
  const data = only && !second ? only.data : Buffer.concat(units.map((unit) => unit.data));
  return partsOf(units.map(headerOf).join(','), data);
}

function headerOf(unit: UnitPacket): string {
  const { session, sequence, remaining, codec, isNotice, keyFrame, continues, width, height, time, timeUs } =
    unit;
  const kind: (typeof kinds)[number] = isNotice
    ? 'notice'
    : keyFrame
      ? 'key'
      : continues
        ? 'continued'
        : 'picture';
  const sizes = unit.sizes.map((size) => `${size.bytes}:${timeUs - size.timeUs}`).join(';');
  const place = [session, sequence, remaining, unit.again ? 'again' : 'new', unit.passed, sizes || '-'];
  return [...place, codec, kind, width, height, time, timeUs, unit.data.length].join(' ');
}

const pattern =
  /^([\w-]+) (\d+) (\d+) (again|new) (\d+) (-|[\d:;-]+) (h26[45]) (picture|key|continued|notice) (\d+) (\d+) (-?\d+) (\d+) (\d+)$/;

/** Puts the packets of one subject together again. */
export class UnitPacketReader {
  readonly #joiner = new PartJoiner();

  /** @returns nothing for what are no packets, and for a part that is not the last of its message. */
  read(data: Uint8Array, header: string): UnitPacket[] {
    const whole = this.#joiner.join(data, header);
    if (!whole) return [];
    let end = 0;
    const units = header.split(',').map((fields) => {
      const unit = readUnit(fields, whole, end);
      end += unit?.data.length ?? 0;
      return unit;
    });
    const isWhole = end === whole.length && units.every((unit) => unit !== undefined);
    return isWhole ? units : [];
  }
}

/** @param from where its bytes begin */
function readUnit(header: string, whole: Uint8Array, from: number): UnitPacket | undefined {
  const fields = pattern.exec(header);
  if (!fields) return undefined;
  const [, session = '', sequence, remaining, again, passed, sizes = '', codec, kind, ...numbers] = fields;
  const [width = 0, height = 0, time = 0, timeUs = 0, length = 0] = numbers.map(Number);
  return {
    ...{ session, sequence: Number(sequence), remaining: Number(remaining) },
    ...{ again: again === 'again', passed: Number(passed), sizes: readSizes(sizes, timeUs) },
    codec: codec === 'h265' ? 'h265' : 'h264',
    ...{ isNotice: kind === 'notice', keyFrame: kind === 'key', continues: kind === 'continued' },
    ...{ width, height, time, timeUs, data: whole.subarray(from, from + length) },
  };
}

function readSizes(text: string, timeUs: number): PassedPicture[] {
  if (text === '-') return [];
  return text.split(';').map((size) => {
    const [bytes = 0, beforeUs = 0] = size.split(':').map(Number);
    return { bytes, timeUs: timeUs - beforeUs };
  });
}

import { type MessagePart, PartJoiner, partsOf } from './message-parts.ts';

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
}

const kinds = ['picture', 'key', 'continued'] as const;

/** Pictures that follow each other in one message, as it goes over the bus. */
export function unitPartsOf(units: readonly UnitPacket[]): MessagePart[] {
  const [only, second] = units;
  const data = only && !second ? only.data : Buffer.concat(units.map((unit) => unit.data));
  return partsOf(units.map(headerOf).join(','), data);
}

function headerOf({ data, ...unit }: UnitPacket): string {
  const { session, sequence, remaining, codec, keyFrame, continues, width, height, time, timeUs } = unit;
  const kind: (typeof kinds)[number] = keyFrame ? 'key' : continues ? 'continued' : 'picture';
  return [session, sequence, remaining, codec, kind, width, height, time, timeUs, data.length].join(' ');
}

const pattern = /^([\w-]+) (\d+) (\d+) (h26[45]) (picture|key|continued) (\d+) (\d+) (-?\d+) (\d+) (\d+)$/;

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
  const [, session = '', sequence, remaining, codec, kind, width, height, time, timeUs, length] = fields;
  return {
    ...{ session, sequence: Number(sequence), remaining: Number(remaining) },
    codec: codec === 'h265' ? 'h265' : 'h264',
    ...{ keyFrame: kind === 'key', continues: kind === 'continued' },
    ...{ width: Number(width), height: Number(height) },
    ...{ time: Number(time), timeUs: Number(timeUs), data: whole.subarray(from, from + Number(length)) },
  };
}

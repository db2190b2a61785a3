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
  /** When it is shown, in ticks of 90 kHz of the session's media time. */
  readonly time: number;
  /** When it was taken: Unix time in microseconds. */
  readonly timeUs: number;
  /** NAL units with start codes before them; parameter sets before those of a key frame. */
  readonly data: Uint8Array;
}

const kinds = ['picture', 'key', 'continued'] as const;

/** A packet as it goes over the bus. */
export function unitPartsOf({ data, ...unit }: UnitPacket): MessagePart[] {
  const { session, sequence, remaining, codec, keyFrame, continues, time, timeUs } = unit;
  const kind: (typeof kinds)[number] = keyFrame ? 'key' : continues ? 'continued' : 'picture';
  return partsOf([session, sequence, remaining, codec, kind, time, timeUs].join(' '), data);
}

const pattern = /^([\w-]+) (\d+) (\d+) (h26[45]) (picture|key|continued) (-?\d+) (\d+)$/;

/** Puts the packets of one subject together again. */
export class UnitPacketReader {
  readonly #joiner = new PartJoiner();

  /** @returns undefined for what is no packet, and for a part that is not its last. */
  read(data: Uint8Array, header: string): UnitPacket | undefined {
    const whole = this.#joiner.join(data, header);
    const fields = whole && pattern.exec(header);
    if (!fields) return undefined;
    const [, session = '', sequence, remaining, codec, kind, time, timeUs] = fields;
    return {
      ...{ session, sequence: Number(sequence), remaining: Number(remaining) },
      codec: codec === 'h265' ? 'h265' : 'h264',
      ...{ keyFrame: kind === 'key', continues: kind === 'continued' },
      ...{ time: Number(time), timeUs: Number(timeUs), data: whole },
    };
  }
}

import { type Static, Type } from 'typebox';
import { Compile } from 'typebox/schema';
import { type MessagePart, PartJoiner, partsOf } from './message-parts.ts';

/** A stream that is watched, a packet for each picture: MP4 bytes behind one header, never JSON. */

const livePacketKinds = [
  /** A session begins; `data` is the init segment. */
  'start',
  /** One picture as a fragment: `moof` and `mdat`. */
  'picture',
  /** A frame of sound as a fragment. */
  'sound',
  /** The session is over: the connection to the camera is. */
  'end',
] as const;

/** How the pictures of a session are encoded. */
export const LiveFormat = Type.Object({
  /** For Media Source Extensions: `video/mp4; codecs="avc1.42C01F"`. */
  mime: Type.String({ maxLength: 256 }),
  codec: Type.Enum(['h264', 'h265']),
  width: Type.Integer({ minimum: 0, maximum: 65_535 }),
  height: Type.Integer({ minimum: 0, maximum: 65_535 }),
  /** Of a stream with sound, which has fragments of its own. */
  sound: Type.Optional(
    Type.Object({
      /** `audio/mp4; codecs="mp4a.40.2"` */
      mime: Type.String({ maxLength: 256 }),
      /** The init segment in base64. */
      init: Type.String({ maxLength: 4096 }),
    }),
  ),
});
export type LiveFormat = Static<typeof LiveFormat>;

const Count = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });

const LiveHeader = Type.Object({
  kind: Type.Enum(livePacketKinds),
  /** Unique: pictures of one session have one format and one line of media time. */
  session: Type.String({ minLength: 1, maxLength: 32 }),
  /** Counts the pictures of a session from 1, and its sound; in a `start`, the number of the picture after it. */
  sequence: Count,
  /** How many more packets of the last group of pictures follow at once. */
  remaining: Count,
  /** Decoding can begin here. */
  keyFrame: Type.Boolean(),
  /** When the picture is shown, in microseconds of the fragments' own time. */
  mediaUs: Count,
  /** When it was taken: Unix time in microseconds. */
  timeUs: Count,
  /** Only in a `start`. */
  format: Type.Optional(LiveFormat),
});

export type LivePacket = Static<typeof LiveHeader> & { readonly data: Uint8Array };

/** A packet as it goes over the bus, its fields as JSON. */
export const livePartsOf = ({ data, ...fields }: LivePacket): MessagePart[] =>
  partsOf(JSON.stringify(fields), data);

/** Puts the packets of one subject together again. */
export class LivePacketReader {
  readonly #joiner = new PartJoiner();
  readonly #header = Compile(LiveHeader);

  /** @returns undefined for what is no packet, and for a part that is not its last. */
  read(data: Uint8Array, header: string): LivePacket | undefined {
    const whole = this.#joiner.join(data, header);
    if (!whole) return undefined;
    let fields: unknown;
    try {
      fields = JSON.parse(header);
    } catch {
      return undefined;
    }
    if (!this.#header.Check(fields)) return undefined;
    return { ...fields, data: whole };
  }
}

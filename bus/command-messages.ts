import { type Static, Type } from 'typebox';
import { frameFormats, Microseconds } from './messages.ts';

/** The messages of commands: what one process asks of another. */

/** Asks a pipeline to record (with its pre-roll) until a time, or to continue until then if it is recording already. */
export const RecordCommand = Type.Object({ until: Microseconds });
export type RecordCommand = Static<typeof RecordCommand>;

/**
 * Asks the detector host to publish the frames of a stream (`frames.ts`). It is a lease (`leases.frames`): frames that
 * nobody asks for are not published, and what no detector needs either is not decoded.
 */
export const FramesCommand = Type.Object({
  format: Type.Enum(frameFormats),
  /** Frames per second, 0 for every one; more come if a detector needs more. */
  rate: Type.Number({ minimum: 0 }),
  stream: Type.Enum(['main', 'sub']),
});
export type FramesCommand = Static<typeof FramesCommand>;

/** Of one connection to a camera (`unit-packet.ts`). */
const UnitSession = Type.String({ minLength: 1, maxLength: 32 });

/** Asks a pipeline to publish the encoded pictures of a stream (`unit-packet.ts`). It is a lease (`leases.frames`). */
export const UnitsCommand = Type.Object({
  stream: Type.Enum(['main', 'sub']),
  /** The caller has no picture yet: the last group of pictures is sent first, whole. */
  begin: Type.Boolean(),
  /**
   * Frames per second that are made of them, 0 for every picture: one of which none is made may come with the next one of which
   * one is. Without any rate each comes at once.
   */
  rates: Type.Array(Type.Number({ minimum: 0 }), { maxItems: 8 }),
  /** Key frames alone are enough, until others are needed as well; null: each picture is sent. */
  keys: Type.Union([
    Type.Object({
      session: UnitSession,
      /** Bytes of the pictures after a key frame, by their places, as far as they are known. */
      usual: Type.Array(Type.Number({ minimum: 0 }), { maxItems: 1000 }),
      /** All are needed where three in a row have so many bytes more on average. */
      more: Type.Number({ minimum: 0 }),
      /** The caller is told so, and asks for them; otherwise they are sent at once. */
      isAsked: Type.Boolean(),
      /** The same where so many microseconds after a key frame no other has come. */
      lateUs: Type.Number({ minimum: 0 }),
    }),
    Type.Null(),
  ]),
  /** The pictures from this one on are sent once more, those that were not sent among them. */
  again: Type.Union([
    Type.Object({ session: UnitSession, sequence: Type.Integer({ minimum: 0 }) }),
    Type.Null(),
  ]),
  /** Why the caller cannot decode them, as a sentence for people; null when it can. */
  trouble: Type.Union([Type.String({ maxLength: 1000 }), Type.Null()]),
});
export type UnitsCommand = Static<typeof UnitsCommand>;

/**
 * Asks a pipeline to publish the pictures of a stream (`live-packet.ts`). It is a lease (`leases.live`): what nobody
 * watches is neither made nor sent.
 */
export const LiveCommand = Type.Object({
  stream: Type.Enum(['main', 'sub']),
  /** The caller has no picture yet: the last group of pictures is sent first, whole. */
  begin: Type.Boolean(),
  /** Somebody listens, too. */
  sound: Type.Boolean(),
});
export type LiveCommand = Static<typeof LiveCommand>;

/** Asks the system to reload and apply a monitor's stored configuration, or to restart the monitor unchanged. */
export const ApplyCommand = Type.Object({ restart: Type.Boolean() });
export type ApplyCommand = Static<typeof ApplyCommand>;

/**
 * Asks the detector host to run a detector with these settings, or to stop it if there are none. It is a lease
 * (`leases.detector`): a detector that is not requested again stops.
 */
export const DetectCommand = Type.Object({
  detector: Type.String({ pattern: '^[a-z0-9]{1,24}$' }),
  monitorName: Type.String({ maxLength: 64 }),
  /** Limit in frames per second, where another detector requests more; 0: every frame. */
  maxFrameRate: Type.Number({ minimum: 0 }),
  /** The detector's section of the monitor's configuration, validated by the detector. */
  settings: Type.Union([Type.Object({}, { additionalProperties: true }), Type.Null()]),
  /** The frames that are made for it and for others; null if there are no settings. */
  frames: Type.Union([FramesCommand, Type.Null()]),
});
export type DetectCommand = Static<typeof DetectCommand>;

/** The answer to a command. */
export const CommandReply = Type.Object({ ok: Type.Boolean(), error: Type.Optional(Type.String()) });
export type CommandReply = Static<typeof CommandReply>;

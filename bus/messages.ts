import Type, { type Static } from 'typebox';

/** The shapes of everything that travels on the bus as JSON; `subjects.ts` says where each one travels. */

export const logLevels = ['error', 'warning', 'info', 'debug'] as const;
export type LogLevel = (typeof logLevels)[number];

/** Unix time in microseconds: exact in a double until the year 2255. */
const Microseconds = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });

export const LogEntry = Type.Object({
  level: Type.Enum(logLevels),
  time: Microseconds,
  msg: Type.String({ maxLength: 4096 }),
  src: Type.String({ pattern: '^[a-z0-9]{1,24}$' }),
  /** Empty when the entry is about no monitor. */
  monitorID: Type.String({ pattern: '^[A-Za-z0-9]{0,24}$' }),
});
export type LogEntry = Static<typeof LogEntry>;

/** Coordinates in millionths of the picture's width and height. */
const EventBox = Type.Object({
  x: Type.Integer(),
  y: Type.Integer(),
  width: Type.Integer(),
  height: Type.Integer(),
});

const Detection = Type.Object({
  /** `zone<k>` for motion, an object's label otherwise. */
  label: Type.String({ minLength: 1, maxLength: 64 }),
  /** Percent, 0 to 100. */
  score: Type.Number({ minimum: 0, maximum: 100 }),
  box: Type.Optional(EventBox),
  /** The object that was seen, see {@link DetectedObject}. */
  object: Type.Optional(Type.String({ minLength: 1, maxLength: 64 })),
});
export type Detection = Static<typeof Detection>;

/** What one detector saw in one picture. */
export const DetectionEvent = Type.Object({
  /** Unique; also the JetStream message id, so that an event published twice is stored once. */
  id: Type.String({ minLength: 1, maxLength: 64 }),
  monitorID: Type.String({ pattern: '^[A-Za-z0-9]{1,24}$' }),
  monitorName: Type.String({ maxLength: 64 }),
  source: Type.String({ pattern: '^[a-z0-9]{1,24}$' }),
  /** When the frame was taken. */
  time: Microseconds,
  detections: Type.Array(Detection, { minItems: 1 }),
});
export type DetectionEvent = Static<typeof DetectionEvent>;

/**
 * Something that was followed from picture to picture. It is told twice under the same id: when it appears, and when
 * it is gone.
 */
export const DetectedObject = Type.Object({
  id: Type.String({ minLength: 1, maxLength: 64 }),
  monitorID: DetectionEvent.properties.monitorID,
  label: Detection.properties.label,
  /** When it was first seen. */
  start: Microseconds,
  /** When it was last seen; null while it is there. */
  end: Type.Union([Microseconds, Type.Null()]),
  /** The best so far. */
  score: Detection.properties.score,
  /** The event that told of it first. Its picture is at `/api/event/<id>/snapshot.jpeg`. */
  eventID: DetectionEvent.properties.id,
});
export type DetectedObject = Static<typeof DetectedObject>;

export const recordingStates = ['started', 'growing', 'saved', 'lost'] as const;
export type RecordingState = (typeof recordingStates)[number];

/** One of the streams in a recording's file. */
export const RecordingStream = Type.Object({
  /** `h264`, `h265`, `aac`, …, or the sample entry's four letters where there is no such name. */
  codec: Type.String({ minLength: 1, maxLength: 16 }),
  /** Of video, in pixels. */
  width: Type.Optional(Type.Integer({ minimum: 0, maximum: 65_535 })),
  height: Type.Optional(Type.Integer({ minimum: 0, maximum: 65_535 })),
});
export type RecordingStream = Static<typeof RecordingStream>;

/**
 * What is on disk of one recording: when its file appears (`started`), every few seconds while it is written
 * (`growing`), and once it is complete (`saved`) or has ended early because the disk failed (`lost`). A process that is
 * killed publishes no end.
 */
export const RecordingReport = Type.Object({
  /** The file's name without its ending: `2026-11-23_03-40-12_door`. */
  id: Type.String({ pattern: '^\\d{4}-\\d\\d-\\d\\d_\\d\\d-\\d\\d-\\d\\d_[A-Za-z0-9]{1,24}$' }),
  monitorID: DetectionEvent.properties.monitorID,
  state: Type.Enum(recordingStates),
  /** When its first frame was taken. */
  start: Microseconds,
  /** When the last frame that is on disk ended. */
  end: Microseconds,
  /** The size of the file. */
  bytes: Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }),
  streams: Type.Array(RecordingStream, { maxItems: 8 }),
  /** Why it was lost: `no space left on the disk`. Empty otherwise. */
  reason: Type.String({ maxLength: 256 }),
});
export type RecordingReport = Static<typeof RecordingReport>;

/** That somebody outside has confirmed events that were told to it, several at a time. */
export const DeliveryReport = Type.Object({
  deliveries: Type.Array(
    Type.Object({
      eventID: DetectionEvent.properties.id,
      monitorID: DetectionEvent.properties.monitorID,
      source: DetectionEvent.properties.source,
      /** When the frame was taken. */
      time: Microseconds,
      /** When the bus took the event. */
      storedAt: Microseconds,
      /** When it was confirmed, by this machine's clock. */
      deliveredAt: Microseconds,
    }),
    { minItems: 1, maxItems: 1000 },
  ),
});
export type DeliveryReport = Static<typeof DeliveryReport>;
export type Delivery = DeliveryReport['deliveries'][number];

/** How an object detector does, told again and again while it watches. */
export const DetectorReport = Type.Object({
  monitorID: DetectionEvent.properties.monitorID,
  detector: DetectionEvent.properties.source,
  model: Type.String({ maxLength: 64 }),
  /** The true name and version of what runs the model. */
  engine: Type.String({ maxLength: 256 }),
  /** Pictures that were not looked at, because newer ones came before their turn. */
  skipped: Type.Integer({ minimum: 0 }),
});
export type DetectorReport = Static<typeof DetectorReport>;

export const monitorStates = [
  'disabled',
  'connecting',
  'streaming',
  'waiting',
  'stopping',
  'stopped',
] as const;
export type MonitorState = (typeof monitorStates)[number];

/** What a monitor does now, and why. The last one per monitor is kept on the bus. */
export const MonitorStatus = Type.Object({
  monitorID: Type.String(),
  state: Type.Enum(monitorStates),
  /** Empty, or why the monitor is in this state: `wrong user name or password`. Never a secret. */
  reason: Type.String(),
  recording: Type.Boolean(),
  /** When it entered this state. */
  since: Microseconds,
});
export type MonitorStatus = Static<typeof MonitorStatus>;

/** Asks a pipeline to record until then (with its pre-roll), or to go on until then if it records already. */
export const RecordCommand = Type.Object({ until: Microseconds });
export type RecordCommand = Static<typeof RecordCommand>;

export const frameFormats = ['gray', 'rgb'] as const;
export type FrameFormat = (typeof frameFormats)[number];

/**
 * Says that somebody wants frames. It is a lease (`leases.frames`): a pipeline stops decoding some time after the
 * last one, so a detector that died stops costing anything by itself.
 */
export const FramesCommand = Type.Object({ format: Type.Enum(frameFormats) });
export type FramesCommand = Static<typeof FramesCommand>;

/** Asks the system to read a monitor's stored configuration again and to act on it, or to restart it as it is. */
export const ApplyCommand = Type.Object({ restart: Type.Boolean() });
export type ApplyCommand = Static<typeof ApplyCommand>;

/**
 * Asks the detector host to watch a monitor with these settings, or to stop when there are none. It is a lease, too
 * (`leases.detector`): a detector that is not asked for again stops.
 */
export const DetectCommand = Type.Object({
  detector: Type.String({ pattern: '^[a-z0-9]{1,24}$' }),
  monitorName: Type.String({ maxLength: 64 }),
  /** How many frames a second it takes, where another detector gets more of them; 0: all that are made. */
  maxFrameRate: Type.Number({ minimum: 0 }),
  /** The detector's section of the monitor's configuration; the detector knows its shape. */
  settings: Type.Union([Type.Object({}, { additionalProperties: true }), Type.Null()]),
});
export type DetectCommand = Static<typeof DetectCommand>;

/** The answer to a command. */
export const CommandReply = Type.Object({ ok: Type.Boolean(), error: Type.Optional(Type.String()) });
export type CommandReply = Static<typeof CommandReply>;

/** What the MQTT bridge publishes for each detection: exactly SentryShot's fields. */
export const MqttEvent = Type.Object({
  monitorID: Type.String(),
  monitorName: Type.String(),
  label: Type.String(),
  score: Type.Number({ minimum: 0, maximum: 100 }),
  /** RFC 3339, UTC, nine digits of nanoseconds. */
  time: Type.String({ pattern: '^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{9}Z$' }),
  source: Type.String(),
});
export type MqttEvent = Static<typeof MqttEvent>;

import { type Static, Type } from 'typebox';
import { recordingIDPattern } from './recording-id.ts';

/** The schemas of all JSON messages on the bus; `subjects.ts` maps subjects to them. */

export const logLevels = ['error', 'warning', 'info', 'debug'] as const;
export type LogLevel = (typeof logLevels)[number];

const maximum = Number.MAX_SAFE_INTEGER;
/** Unix time in microseconds: exact in a double until the year 2255. */
export const Microseconds = Type.Integer({ minimum: 0, maximum });
const StartMicroseconds = Type.Integer({ minimum: -maximum, maximum });

export const LogEntry = Type.Object({
  level: Type.Enum(logLevels),
  time: Microseconds,
  msg: Type.String({ maxLength: 4096 }),
  src: Type.String({ pattern: '^[a-z0-9]{1,24}$' }),
  /** Empty if the entry is not about a monitor. */
  monitorID: Type.String({ pattern: '^[A-Za-z0-9]{0,24}$' }),
});
export type LogEntry = Static<typeof LogEntry>;

/** Coordinates in millionths of the frame's width and height. */
const EventBox = Type.Object({
  ...{ x: Type.Integer(), y: Type.Integer() },
  ...{ width: Type.Integer(), height: Type.Integer() },
});

const Detection = Type.Object({
  /** `zone<k>` for motion, an object's label otherwise. */
  label: Type.String({ minLength: 1, maxLength: 64 }),
  /** Percent, 0 to 100. */
  score: Type.Number({ minimum: 0, maximum: 100 }),
  box: Type.Optional(EventBox),
  /** The id of the tracked object, see {@link DetectedObject}. */
  object: Type.Optional(Type.String({ minLength: 1, maxLength: 64 })),
});
export type Detection = Static<typeof Detection>;

/** The detections of one detector in one frame. */
export const DetectionEvent = Type.Object({
  /** Unique; also the JetStream message id, so that an event published twice is stored once. */
  id: Type.String({ minLength: 1, maxLength: 64 }),
  monitorID: Type.String({ pattern: '^[A-Za-z0-9]{1,24}$' }),
  monitorName: Type.String({ maxLength: 64 }),
  source: Type.String({ pattern: '^[a-z0-9]{1,24}$' }),
  /** When the frame was taken. */
  time: Microseconds,
  /** When the machine was started, by the clock of `time`: Unix time in microseconds, less what detection took. */
  startedUs: Type.Optional(StartMicroseconds),
  detections: Type.Array(Detection, { minItems: 1 }),
});
export type DetectionEvent = Static<typeof DetectionEvent>;

/**
 * An object tracked over several frames. It is published twice under the same id: when it appears, and when it is gone.
 */
export const DetectedObject = Type.Object({
  id: Type.String({ minLength: 1, maxLength: 64 }),
  monitorID: DetectionEvent.properties.monitorID,
  label: Detection.properties.label,
  /** Capture time of the first frame that shows it. */
  start: Microseconds,
  /** Capture time of the last frame that shows it; null while it is in view. */
  end: Type.Union([Microseconds, Type.Null()]),
  /** The highest score so far. */
  score: Detection.properties.score,
  /** The first event about it. The snapshot is at `/api/event/<id>/snapshot.jpeg`. */
  eventID: DetectionEvent.properties.id,
});
export type DetectedObject = Static<typeof DetectedObject>;

export const recordingStates = ['started', 'growing', 'saved', 'lost', 'found', 'deleted'] as const;
export type RecordingState = (typeof recordingStates)[number];

/** The video or the audio in a recording's file. */
export const RecordingStream = Type.Object({
  /** `h264`, `h265`, `aac`, …, or the sample entry's four letters for other codecs. */
  codec: Type.String({ minLength: 1, maxLength: 16 }),
  /** In pixels; only for video. */
  width: Type.Optional(Type.Integer({ minimum: 0, maximum: 65_535 })),
  height: Type.Optional(Type.Integer({ minimum: 0, maximum: 65_535 })),
});
export type RecordingStream = Static<typeof RecordingStream>;

/**
 * The state of one recording on disk. Published when its file is created (`started`), every few seconds while it is written
 * (`growing`), and when it is complete (`saved`) or has ended early because the disk failed (`lost`). A killed process
 * publishes no end: its recording is `found` in the folder later, as are all after the catalogue was lost; it has a reason
 * then if its file cannot be read. When its file is `deleted`, only the id, the monitor and the reason are meant; its events
 * are deleted as well, unless they are kept.
 */
export const RecordingReport = Type.Object({
  /** The file's name without its ending; see `recording-id.ts`. */
  id: Type.String({ pattern: recordingIDPattern }),
  monitorID: DetectionEvent.properties.monitorID,
  state: Type.Enum(recordingStates),
  /** Capture time of its first frame. */
  start: Microseconds,
  /** End of the last frame that is on disk. */
  end: Microseconds,
  /** Size of the file. */
  bytes: Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }),
  streams: Type.Array(RecordingStream, { maxItems: 8 }),
  /** Reason of the loss or the deletion: `no space left on the disk`. Empty otherwise. */
  reason: Type.String({ maxLength: 256 }),
  /** Of one that is `deleted`: its file is not there, and nobody knows why. */
  keepsEvents: Type.Optional(Type.Boolean()),
  /** Of one that is `found` with its true times, which a wrong clock had hidden: the id that it had. Its events move along. */
  formerID: Type.Optional(Type.String({ pattern: recordingIDPattern })),
  /** With it: when the machine was started, by the clock that was wrong and by the one of the true times. */
  startedUs: Type.Optional(Type.Object({ former: StartMicroseconds, now: StartMicroseconds })),
});
export type RecordingReport = Static<typeof RecordingReport>;

/** Asks for recordings that the catalogue lists: this one, or those with later ids, in the order of their ids. */
export const CatalogueQuestion = Type.Object({
  id: Type.Optional(Type.String({ maxLength: 64 })),
  after: Type.Optional(Type.String({ maxLength: 64 })),
  limit: Type.Integer({ minimum: 1, maximum: 1000 }),
});
export type CatalogueQuestion = Static<typeof CatalogueQuestion>;

/** A recording of the catalogue. What is not known is null; one that is being written has no end. */
export const ListedRecording = Type.Object({
  id: RecordingReport.properties.id,
  start: Microseconds,
  end: Type.Union([Microseconds, Type.Null()]),
  bytes: Type.Union([RecordingReport.properties.bytes, Type.Null()]),
});
export type ListedRecording = Static<typeof ListedRecording>;

export const CatalogueAnswer = Type.Object({ recordings: Type.Array(ListedRecording, { maxItems: 1000 }) });

/** Asks for a database file that can be copied: with all that the bus has now, and checkpointed. */
export const CheckpointQuestion = Type.Object({
  /** Milliseconds for which the file then stays as it is, unless it is asked again; 0: it may change at once. */
  holdMs: Type.Integer({ minimum: 0, maximum: 60_000 }),
});
export type CheckpointQuestion = Static<typeof CheckpointQuestion>;

const Percent = Type.Number({ minimum: 0, maximum: 100 });

/** Asks motion detection for the scores of these zones, which may be other than those that it watches. */
export const ScoreQuestion = Type.Object({
  monitorID: DetectionEvent.properties.monitorID,
  zones: Type.Array(
    Type.Object({
      sensitivity: Percent,
      /** A polygon, in millionths of the frame's width and height. */
      area: Type.Array(Type.Tuple([Type.Integer(), Type.Integer()]), { maxItems: 256 }),
    }),
    { maxItems: 64 },
  ),
});
export type ScoreQuestion = Static<typeof ScoreQuestion>;

export const ScoreAnswer = Type.Object({
  /** False if the monitor has no motion detection now. */
  isRunning: Type.Boolean(),
  /** In the order of the zones; empty until two frames were compared. */
  scores: Type.Array(
    Type.Object({
      /** In percent of the zone's pixels: between the last two frames. */
      last: Percent,
      /** The highest since the same question was asked before. */
      peak: Percent,
    }),
    { maxItems: 64 },
  ),
});
export type ScoreAnswer = Static<typeof ScoreAnswer>;

/** Asks the detector host which decoders of motion detection sleep, or would. */
export const SleepQuestion = Type.Object({});
export type SleepQuestion = Static<typeof SleepQuestion>;

const Total = Type.Integer({ minimum: 0 });

/**
 * Why the decoder of motion detection may not sleep: another detector needs more frames; it shows a picture only when it has got
 * later ones; motion was found that the sizes had not shown; key frames are too far apart; groups are too large to be
 * fetched at once; motion would not show in the sizes of pictures.
 */
const sleepHindrances = ['frames', 'delay', 'miss', 'groups', 'size', 'noise'] as const;
export type SleepHindrance = (typeof sleepHindrances)[number];

export const SleepAnswer = Type.Object({
  monitors: Type.Array(
    Type.Object({
      monitorID: DetectionEvent.properties.monitorID,
      isAsleep: Type.Boolean(),
      /** Why it may not sleep; null while it may, or too little is known. */
      refused: Type.Union([Type.Enum(sleepHindrances), Type.Null()]),
      /** Since the detector host began to decode it, in microseconds. */
      asleepUs: Total,
      wakes: Total,
      /** Motion that was found, and that the sizes did not show. */
      missed: Total,
    }),
  ),
});
export type SleepAnswer = Static<typeof SleepAnswer>;

export const CheckpointAnswer = Type.Object({
  /** False if the database could not take all that the bus has in time. */
  isComplete: Type.Boolean(),
});
export type CheckpointAnswer = Static<typeof CheckpointAnswer>;

/** Events whose delivery was confirmed by an external receiver, several per report. */
export const DeliveryReport = Type.Object({
  deliveries: Type.Array(
    Type.Object({
      eventID: DetectionEvent.properties.id,
      monitorID: DetectionEvent.properties.monitorID,
      source: DetectionEvent.properties.source,
      /** When the frame was taken. */
      time: Microseconds,
      /** Time at which the bus stored the event. */
      storedAt: Microseconds,
      /** Time of the confirmation, by this machine's clock. */
      deliveredAt: Microseconds,
    }),
    { minItems: 1, maxItems: 1000 },
  ),
});
export type DeliveryReport = Static<typeof DeliveryReport>;
export type Delivery = DeliveryReport['deliveries'][number];

/** The state of an object detector, published periodically while it runs. */
export const DetectorReport = Type.Object({
  monitorID: DetectionEvent.properties.monitorID,
  detector: DetectionEvent.properties.source,
  model: Type.String({ maxLength: 64 }),
  /** Full name and version of the engine that runs the model. */
  engine: Type.String({ maxLength: 256 }),
  /** Frames that were not analysed because newer ones arrived first. */
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

/** The state of a monitor, and the reason. The bus keeps the last one per monitor. */
export const MonitorStatus = Type.Object({
  monitorID: Type.String(),
  state: Type.Enum(monitorStates),
  /** Reason of this state, or empty: `wrong user name or password`. Never contains a secret. */
  reason: Type.String(),
  recording: Type.Boolean(),
  /** Time at which it entered this state. */
  since: Microseconds,
});
export type MonitorStatus = Static<typeof MonitorStatus>;

/** How a machine of a cluster records a monitor from a moment on, until it says otherwise. */
export const Tenure = Type.Object({
  monitorID: DetectionEvent.properties.monitorID,
  time: Microseconds,
  /**
   * Of the owner's record: its own, also while the next owner is about to record it, or the one of the owner that is not heard;
   * 0: there is none. Null: it does not record it.
   */
  token: Type.Union([Type.Integer({ minimum: 0 }), Type.Null()]),
  /** Whether it stands in for the owner with this token. */
  provisional: Type.Boolean(),
});
export type Tenure = Static<typeof Tenure>;

/**
 * Of two machines that record a monitor, what the one with the higher rank detects is listed and published. One that stands in for
 * an owner knows more than the owner: that was not heard. @returns -1 if it does not record it.
 */
export const tenureRank = ({ token, provisional }: Pick<Tenure, 'token' | 'provisional'>): number =>
  token === null ? -1 : token * 2 + Number(provisional && token > 0);

export const frameFormats = ['gray', 'rgb'] as const;
export type FrameFormat = (typeof frameFormats)[number];

/** The MQTT bridge's message for each detection: exactly SentryShot's fields. */
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

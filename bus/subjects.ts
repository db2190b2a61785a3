import { channel } from './channel.ts';
import {
  ApplyCommand,
  CommandReply,
  DetectCommand,
  FramesCommand,
  LiveCommand,
  RecordCommand,
  UnitsCommand,
} from './command-messages.ts';
import { upgradeTimes } from './earlier-messages.ts';
import {
  CatalogueAnswer,
  CatalogueQuestion,
  CheckpointAnswer,
  CheckpointQuestion,
  DeliveryReport,
  DetectedObject,
  DetectionEvent,
  DetectorReport,
  type FrameFormat,
  LogEntry,
  type LogLevel,
  MonitorStatus,
  RecordingReport,
  ScoreAnswer,
  ScoreQuestion,
  SleepAnswer,
  SleepQuestion,
  Tenure,
} from './messages.ts';
import type { RecordedStream } from './recording-id.ts';

/** Every subject of the bus, with the schema of its messages. Ids are validated where they enter the recorder. */

export const logs = channel(
  (level: LogLevel | '*', src: string, monitorID: string) => `logs.${level}.${src}.${monitorID || '_'}`,
  LogEntry,
);

export const events = channel(
  (monitorID: string, source: string) => `events.${monitorID}.${source}`,
  DetectionEvent,
  upgradeTimes,
);

export const objects = channel((monitorID: string) => `objects.${monitorID}`, DetectedObject, upgradeTimes);

/** Reports on the files of a monitor's recordings. */
export const recordings = channel((monitorID: string) => `recordings.${monitorID}`, RecordingReport);

export const reports = channel(
  (monitorID: string, detector: string) => `reports.${monitorID}.${detector}`,
  DetectorReport,
);

export const status = channel((monitorID: string) => `status.${monitorID}`, MonitorStatus);

/** Every status that a monitor has had; `status` keeps only the last one. */
export const history = channel((monitorID: string) => `history.${monitorID}`, MonitorStatus);

/** Of one of several machines: which monitors it records, and with which token. */
export const tenures = channel((monitorID: string) => `tenures.${monitorID}`, Tenure);

/** Confirmed deliveries of events, by receiver: `mqtt`. */
export const deliveries = channel(
  (receiver: string) => `deliveries.${receiver}`,
  DeliveryReport,
  upgradeTimes,
);

/** Raw frames: bytes with headers, see `frames.ts`. */
export const frameSubject = (monitorID: string, format: FrameFormat) => `frames.${monitorID}.${format}`;

/** Encoded pictures of a stream that is decoded: bytes with headers, see `unit-packet.ts`. */
export const unitSubject = (monitorID: string, stream: RecordedStream) => `units.${monitorID}.${stream}`;

/** Pictures of a stream that is watched: bytes with headers, see `live-packet.ts`. */
export const liveSubject = (monitorID: string, stream: RecordedStream) => `live.${monitorID}.${stream}`;

export const commands = {
  /** To the pipeline of a monitor. */
  record: channel((monitorID: string) => `command.${monitorID}.record`, RecordCommand),
  /** To the detector host. */
  frames: channel((monitorID: string) => `command.${monitorID}.frames`, FramesCommand),
  /** To the pipeline of a monitor. */
  units: channel((monitorID: string) => `command.${monitorID}.units`, UnitsCommand),
  /** To the pipeline of a monitor. */
  live: channel((monitorID: string) => `command.${monitorID}.live`, LiveCommand),
  /** To the system. */
  apply: channel((monitorID: string) => `command.${monitorID}.apply`, ApplyCommand),
  /** To the detector host. */
  detect: channel((monitorID: string) => `command.${monitorID}.detect`, DetectCommand),
  /** The answer to a command, sent to its caller. */
  reply: channel(() => '_INBOX', CommandReply),
};

/** Questions whose answers carry data, unlike those to commands. */
export const questions = {
  /** To main. */
  catalogue: {
    question: channel(() => 'question.catalogue', CatalogueQuestion),
    answer: channel(() => '_INBOX', CatalogueAnswer),
  },
  /** To main. */
  checkpoint: {
    question: channel(() => 'question.checkpoint', CheckpointQuestion),
    answer: channel(() => '_INBOX', CheckpointAnswer),
  },
  /** To the detector host. */
  scores: {
    question: channel(() => 'question.scores', ScoreQuestion),
    answer: channel(() => '_INBOX', ScoreAnswer),
  },
  /** To the detector host. */
  sleep: {
    question: channel(() => 'question.sleep', SleepQuestion),
    answer: channel(() => '_INBOX', SleepAnswer),
  },
};

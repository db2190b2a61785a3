import { channel } from './channel.ts';
import { upgradeTimes } from './earlier-messages.ts';
import {
  ApplyCommand,
  CommandReply,
  DeliveryReport,
  DetectCommand,
  DetectedObject,
  DetectionEvent,
  DetectorReport,
  type FrameFormat,
  FramesCommand,
  LogEntry,
  type LogLevel,
  MonitorStatus,
  RecordCommand,
  RecordingReport,
} from './messages.ts';

/** The bus's vocabulary: every subject, and the shape of what it carries. Ids are validated where they enter. */

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

/** What is on disk of the recordings of a monitor. */
export const recordings = channel((monitorID: string) => `recordings.${monitorID}`, RecordingReport);

export const reports = channel(
  (monitorID: string, detector: string) => `reports.${monitorID}.${detector}`,
  DetectorReport,
);

export const status = channel((monitorID: string) => `status.${monitorID}`, MonitorStatus);

/** Every status that a monitor has had, where `status` has the last one only. */
export const history = channel((monitorID: string) => `history.${monitorID}`, MonitorStatus);

/** To whom events were delivered: `mqtt`. */
export const deliveries = channel(
  (receiver: string) => `deliveries.${receiver}`,
  DeliveryReport,
  upgradeTimes,
);

/** Raw pictures: bytes with headers, see `frames.ts`. */
export const frameSubject = (monitorID: string, format: FrameFormat) => `frames.${monitorID}.${format}`;

export const commands = {
  /** To the pipeline of a monitor. */
  record: channel((monitorID: string) => `command.${monitorID}.record`, RecordCommand),
  /** To the pipeline of a monitor. */
  frames: channel((monitorID: string) => `command.${monitorID}.frames`, FramesCommand),
  /** To the system. */
  apply: channel((monitorID: string) => `command.${monitorID}.apply`, ApplyCommand),
  /** To the detector host. */
  detect: channel((monitorID: string) => `command.${monitorID}.detect`, DetectCommand),
  /** From whoever answers a command to whoever gave it. */
  reply: channel(() => '_INBOX', CommandReply),
};

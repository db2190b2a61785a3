import type { LogSettings } from '../../bus/logging/logger.ts';
import type { BusAddress } from '../../bus/nats/bus-address.ts';

/** A monitor's session and what it reports: plain data that travels over IPC, see `host/host-messages.ts`. */

/** Where the pictures come from. URLs may carry credentials; a path is absolute and has been checked. */
export type VideoSource =
  | { kind: 'rtsp'; protocol: 'tcp' | 'udp'; main: string; sub?: string }
  | { kind: 'file'; path: string; loop: boolean }
  | { kind: 'test' };

/** One connection to one camera, from its beginning to its end. */
export interface PipelineSession {
  monitorID: string;
  source: VideoSource;
  /** How long the camera may take for each of its answers and for its first picture, in milliseconds. */
  patienceMs: number;
  /** The most that the patience with the sub stream grows to. */
  maxPatienceMs: number;
  /** Recordings go below this folder, one folder per year, month, day and monitor. */
  recordingsDir: string;
  alwaysRecord: boolean;
  /** Whether the sub stream is recorded too, into files of its own. */
  recordSubStream: boolean;
  /** Milliseconds after which a recording is cut, at the next key frame. */
  videoLength: number;
  /** How much later than what they show events may come, in milliseconds: recordings begin before it all the same. */
  eventsLateMs: number;
  /** Whether detectors look at the sub stream. */
  isSubDetected: boolean;
  bus: BusAddress;
  log: LogSettings;
}

export const endReasons = [
  /** On request. */
  'stopped',
  /** A file came to its end. */
  'finished',
  /** The camera closed the connection. */
  'lost',
  /** The connection is open, and nothing arrives. */
  'silent',
  'unreachable',
  'unauthorized',
  'not_found',
  /** There is no H.264 or H.265 video in what the source offers. */
  'no_video',
  /** The video cannot be understood. */
  'broken',
  /** The process itself failed. */
  'failed',
] as const;
export type EndReason = (typeof endReasons)[number];

/** `detail` is a sentence for people; it holds no credentials. */
export interface PipelineEnd {
  reason: EndReason;
  detail: string;
}

/** From the session to the monitor's actor. */
export type PipelineReport =
  /** The first video has arrived. */
  | { type: 'streaming' }
  /** The id of the recording that is being written now, or null when none is. */
  | { type: 'recording'; file: string | null }
  /** A fault that leaves the stream running, as a sentence for people; null when it is over. */
  | { type: 'trouble'; text: string | null }
  /** The last message of every session. */
  | ({ type: 'ended' } & PipelineEnd);

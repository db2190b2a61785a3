import type { MonitorStatus } from '../../../../../bus/messages.ts';

/** What `/api/monitor/:id/live` sends as text. Bytes of MP4 come as binary messages. */
export type LiveMessage = StateMessage | StartMessage | GapMessage | DetectionsMessage | ZonesMessage;

export type ShownStream = 'main' | 'sub';

export interface StateMessage extends Pick<MonitorStatus, 'state' | 'reason' | 'recording' | 'since'> {
  readonly type: 'state';
  /** The stream that this connection carries. */
  readonly stream: ShownStream;
  /** All streams of the monitor. */
  readonly streams: readonly ShownStream[];
}

/** The next binary message is an init segment with the whole last group of pictures. */
export interface StartMessage {
  readonly type: 'start';
  /** With codecs, for Media Source Extensions. */
  readonly mime: string;
  readonly codec: string;
  readonly width: number;
  readonly height: number;
  /** Only if sound was asked for, and the camera sends some. */
  readonly sound?: StartedSound;
}

/** Sound has a source buffer of its own. */
export interface StartedSound {
  readonly mime: string;
  /** The init segment, in base64. */
  readonly init: string;
}

/** Pictures were left out; the next binary message begins with a key frame. */
interface GapMessage {
  readonly type: 'gap';
}

export interface DetectionsMessage {
  readonly type: 'detections';
  /** The detector. */
  readonly source: string;
  /** The picture that was analysed, in seconds on the timeline of the media. */
  readonly mediaTime: number;
  readonly detections: readonly LiveDetection[];
}

export interface LiveDetection {
  readonly label: string;
  /** Percent. */
  readonly score: number;
  /** In millionths of the picture's width and height. */
  readonly box?: { readonly x: number; readonly y: number; readonly width: number; readonly height: number };
}

export interface ZonesMessage {
  readonly type: 'zones';
  readonly zones: readonly {
    /** The detector. */
    readonly source: string;
    /** `zone<k>` as in detections, or `mask`. */
    readonly label: string;
    /** A polygon, in millionths of the picture's width and height. */
    readonly area: readonly (readonly [x: number, y: number])[];
  }[];
}

/** @returns undefined for messages of a newer recorder. */
export function parseLiveMessage(text: string): LiveMessage | undefined {
  const message = JSON.parse(text) as LiveMessage;
  return ['state', 'start', 'gap', 'detections', 'zones'].includes(message.type) ? message : undefined;
}

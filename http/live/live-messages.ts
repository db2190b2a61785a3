import { type Static, Type } from 'typebox';
import { DetectionEvent, MonitorStatus } from '../../bus/messages.ts';
import { LiveFormat } from '../../bus/packets/live-packet.ts';
import { LiveZone } from './live-zones.ts';

/** The text messages of a live view; the others are MP4 bytes. */

const { state, reason, recording, since } = MonitorStatus.properties;
const Stream = Type.Enum(['main', 'sub']);

/** The state of the monitor, first and at each change. */
export const LiveState = Type.Object({
  type: Type.Literal('state'),
  ...{ state, reason, recording, since },
  /** The stream that is sent. */
  stream: Stream,
  /** All that the monitor has. */
  streams: Type.Array(Stream),
});
export type LiveState = Static<typeof LiveState>;

/** The next binary message is an init segment and the whole last group of pictures. */
export const LiveStart = Type.Object({
  type: Type.Literal('start'),
  ...LiveFormat.properties,
  /** When the first of these pictures is shown, in seconds of the fragments' own time. */
  mediaTime: Type.Number({ minimum: 0 }),
  /** When it was taken: Unix time in microseconds. */
  time: since,
});
export type LiveStart = Static<typeof LiveStart>;

/** The viewer was too slow: the next binary message begins with a key frame. */
export const LiveGap = Type.Object({ type: Type.Literal('gap') });
export type LiveGap = Static<typeof LiveGap>;

/** The detections of one detector in one frame. */
export const LiveDetections = Type.Object({
  type: Type.Literal('detections'),
  source: DetectionEvent.properties.source,
  /** The frame's, in seconds of the fragments' own time. */
  mediaTime: LiveStart.properties.mediaTime,
  time: since,
  detections: DetectionEvent.properties.detections,
});
export type LiveDetections = Static<typeof LiveDetections>;

/** Where detectors look, after the first `state` and at each change. */
export const LiveZones = Type.Object({ type: Type.Literal('zones'), zones: Type.Array(LiveZone) });
export type LiveZones = Static<typeof LiveZones>;

/** A message as it is sent, to one viewer or to all. */
export function liveMessage(message: LiveState | LiveStart | LiveGap | LiveDetections | LiveZones): Buffer {
  return Buffer.from(JSON.stringify(message));
}

import { type Static, Type } from 'typebox';
import { DetectionEvent, MonitorStatus, monitorStates } from '../../bus/messages.ts';

/** What every account may know of a monitor. */
export const MonitorSummary = Type.Object({
  id: DetectionEvent.properties.monitorID,
  name: Type.String(),
  state: Type.Enum(monitorStates, { description: '`stopped` if it has not been started yet' }),
  reason: Type.String({ description: 'Reason of the state, such as an error of the camera; may be empty' }),
  recording: MonitorStatus.properties.recording,
  since: Type.Union([MonitorStatus.properties.since, Type.Null()], {
    description: 'Time at which it entered the state',
  }),
  machine: Type.Optional(
    Type.Union([Type.String(), Type.Null()], {
      description: 'In a cluster: the machine that records it, or tries to; null if none does',
    }),
  ),
});
export type MonitorSummary = Static<typeof MonitorSummary>;

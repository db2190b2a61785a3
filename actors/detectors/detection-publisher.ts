import { sinceMachineStartUs } from '../../bus/base/machine-clock.ts';
import { randomText } from '../../bus/base/random.ts';
import type { Detection } from '../../bus/messages.ts';
import { events } from '../../bus/subjects.ts';
import type { DetectorEnvironment } from './detector-contract.ts';

/**
 * Publishes the detections of one frame under the detector's name.
 *
 * @param timeUs capture time of the frame: Unix time in microseconds.
 * @param id the event's id, globally unique.
 */
export function publishDetections(
  { name: source, monitorID, monitorName, outbox }: DetectorEnvironment,
  timeUs: number,
  detections: Detection[],
  id: string = randomText(22),
): void {
  const startedUs = Math.round(timeUs - sinceMachineStartUs());
  const event = { id, monitorID, monitorName, source, time: timeUs, startedUs, detections };
  outbox.add(events, [monitorID, source], event, id);
}

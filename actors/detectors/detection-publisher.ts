import { randomText } from '../../bus/base/random.ts';
import type { Detection } from '../../bus/messages.ts';
import { events } from '../../bus/subjects.ts';
import type { DetectorEnvironment } from './detector-contract.ts';

/**
 * Publishes what a detector has seen in one frame, under its own name.
 *
 * @param timeUs of the frame.
 * @param id of the event: unique for ever.
 */
export function publishDetections(
  { name: source, monitorID, monitorName, outbox }: DetectorEnvironment,
  timeUs: number,
  detections: Detection[],
  id: string = randomText(22),
): void {
  const event = { id, monitorID, monitorName, source, time: timeUs, detections };
  outbox.add(events, [monitorID, source], event, id);
}

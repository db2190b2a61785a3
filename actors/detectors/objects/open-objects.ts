import type { DetectedObject } from '../../../bus/messages.ts';
import type { Bus } from '../../../bus/nats/bus.ts';
import { lastStored, replay, streamRange } from '../../../bus/nats/jetstream.ts';
import type { Outbox } from '../../../bus/nats/outbox.ts';
import { events, objects } from '../../../bus/subjects.ts';

const source = 'tflite';
/** How many of the newest tellings are looked through: a second's work at most. */
const lookback = 20_000;

/**
 * Publishes the end of objects that have none because their tracker was killed; also those of monitors that are
 * gone since. The host calls it before it publishes any objects itself, and there is one host.
 *
 * The moment each was last seen is unknown: its end is its monitor's last report.
 */
export async function endOpenObjects(bus: Bus, outbox: Outbox): Promise<void> {
  for (const object of await openObjects(bus)) {
    const { id, monitorID, start } = object;
    const newest = await lastStored(bus, 'EVENTS', events, [monitorID, source]);
    const end = Math.max(start, newest?.time ?? start);
    outbox.add(objects, [monitorID], { ...object, end }, `${id} end`);
  }
}

async function openObjects(bus: Bus): Promise<DetectedObject[]> {
  const { first, last } = await streamRange(bus, 'OBJECTS');
  const open = new Map<string, DetectedObject>();
  // Nothing is there, or not any more.
  if (last === 0 || first > last) return [];
  await new Promise<void>((resolve) => {
    const reading = replay(bus, 'OBJECTS', objects, last - lookback, ({ message, sequence }) => {
      // Later objects are published by this host itself.
      if (message && sequence <= last) {
        if (message.end === null) open.set(message.id, message);
        else open.delete(message.id);
      }
      if (sequence < last) return;
      reading.stop();
      resolve();
    });
  });
  return [...open.values()];
}

import { expect } from 'vitest';
import { Outbox } from '../../bus/nats/outbox.ts';
import { formatRecordingID } from '../../bus/recording-id.ts';
import { events, recordings } from '../../bus/subjects.ts';
import { second } from '../support/footage.ts';
import type { FrontDoor } from '../support/http-server.ts';

/** Its days, its monitors, and the minutes of a recording. */
export const [days, monitors, minutes] = [30, 16, 15];
const eventsPerHour = 20;
/** Up to the last full hour, in microseconds. */
export const endUs = Math.floor(Date.now() / 3_600_000) * 3_600_000_000;
export const beginUs = endUs - days * 86_400 * second;

/** Fills the catalogue with a month of monitors, `camera0` and so on: rows, no files. */
export async function fillMonth(door: FrontDoor): Promise<void> {
  const outbox = new Outbox(2_000_000, () => {});
  outbox.attach(door.bus);
  let [count, number] = [0, 0];
  for (let start = beginUs; start < endUs; start += minutes * 60 * second) {
    for (let index = 0; index < monitors; index += 1) {
      const monitorID = `camera${index}`;
      const id = formatRecordingID({ startMs: start / 1000, monitorID, stream: 'main' });
      const streams = [{ codec: 'h264', width: 1920, height: 1080 }];
      const end = start + minutes * 60 * second;
      outbox.add(recordings, [monitorID], {
        ...{ id, monitorID, state: 'saved', start, end, bytes: 382_500_000, streams, reason: '' },
      });
      count += 1;
      for (let event = 0; event < (eventsPerHour * minutes) / 60; event += 1) {
        number += 1;
        const time = start + Math.floor(Math.random() * (end - start));
        const detections = [{ label: ['person', 'car', 'dog'][number % 3] ?? '', score: 80 }];
        const message = { id: `e${number}`, monitorID, monitorName: monitorID, source: 'tflite', time };
        outbox.add(events, [monitorID, 'tflite'], { ...message, detections });
      }
    }
    // The queue is bounded by its bytes as well.
    if (count % 4000 === 0) await outbox.flush(60_000);
  }
  await outbox.flush(60_000);
  const text = 'SELECT (SELECT count(*) FROM recordings), (SELECT count(*) FROM events)';
  const stored = async () =>
    (await (await door.change('POST', '/api/log/sql', { sql: text })).json()).rows?.[0] ?? [];
  await expect.poll(stored, { timeout: 300_000, interval: 1000 }).toEqual([count, number]);
  console.log(`${count} recordings, ${number} events`);
}

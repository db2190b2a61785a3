import { expect, test } from 'vitest';
import { nowUs } from '../../../../bus/base/time.ts';
import { formatRecordingID } from '../../../../bus/recording-id.ts';
import { events } from '../../../../bus/subjects.ts';
import { report } from '../../../support/footage.ts';
import { startTestLog } from '../../../support/test-log.ts';

const second = 1e6;
const eventCount = 5000;

test('events that are read after the report that moves them have the true times of their recording', async () => {
  const { bus, open } = await startTestLog();
  const began = nowUs() - 60 * second;
  const aheadUs = 15 * second;
  const idAt = (us: number) =>
    formatRecordingID({ startMs: Math.floor(us / 1000), monitorID: 'door', stream: 'main' });
  await Promise.all(
    Array.from({ length: eventCount }, (_, n) => {
      const common = { id: `e${n}`, monitorID: 'door', monitorName: 'Door', source: 'motion' };
      const event = { ...common, time: began + n * 1000, detections: [{ label: 'zone0', score: 1 }] };
      return bus.store(events, ['door', 'motion'], event, event.id);
    }),
  );
  const recording = { monitorID: 'door', bytes: 1000, streams: [], reason: '' };
  const ahead = { ...recording, id: idAt(began), start: began, end: began + 10 * second };
  await report(bus, { ...ahead, state: 'saved' });
  const [start, end] = [began - aheadUs, began - aheadUs + 10 * second];
  await report(bus, { ...recording, id: idAt(start), state: 'found', start, end, formerID: ahead.id });

  const log = await open();
  const times = async (oldestFirst: boolean) =>
    (await log.events({ limit: 1, oldestFirst })).map(({ time }) => time);
  await expect.poll(() => times(true), { timeout: 10_000 }).toEqual([began - aheadUs]);
  await expect.poll(() => times(false)).toEqual([began - aheadUs + (eventCount - 1) * 1000]);
});

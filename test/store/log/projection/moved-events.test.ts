import { setTimeout as pause } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { nowUs } from '../../../../bus/base/time.ts';
import { events } from '../../../../bus/subjects.ts';
import { LogProjections, type ProjectionWriters } from '../../../../store/log/projection/projections.ts';
import { atEnd } from '../../../support/cleanup.ts';
import { report } from '../../../support/footage.ts';
import { startTestLog } from '../../../support/test-log.ts';

test('a report that moves events is stored after the events of then, however long those take', async () => {
  const { bus } = await startTestLog();
  const time = nowUs();
  const common = { id: 'e1', monitorID: 'door', monitorName: 'Door', source: 'motion', time };
  const event = { ...common, detections: [{ label: 'zone0', score: 1 }] };
  await bus.store(events, ['door', 'motion'], event, event.id);
  const recording = { monitorID: 'door', start: time, end: time, bytes: 1000, streams: [], reason: '' };
  const formerID = '2026-11-23_08-00-00_door';
  await report(bus, { ...recording, id: '2026-11-23_08-00-15_door', state: 'found', formerID });

  const stored: string[] = [];
  const nothing = async () => {};
  const writers = {
    positions: { read: async () => ({ identity: '', sequence: 0, time: 0, readAt: 0 }) },
    writer: {
      append: nothing,
      appendEvents: async (rows: readonly unknown[]) => {
        await pause(500);
        if (rows.length > 0) stored.push('event');
      },
    },
    detections: { appendDeliveries: nothing, appendObjects: nothing },
    states: { append: nothing },
    recordings: {
      append: async (rows: readonly unknown[]) => void (rows.length > 0 && stored.push('report')),
    },
    repairTimes: async () => 0,
  } as unknown as ProjectionWriters;
  const failures = { report: () => {}, giveUp: () => {} };
  const read = await LogProjections.open(writers, { bus, isOfSite: false }, { entry: nothing }, failures);
  atEnd(() => read.close());
  await expect.poll(() => stored, { timeout: 5000 }).toEqual(['event', 'report']);
});

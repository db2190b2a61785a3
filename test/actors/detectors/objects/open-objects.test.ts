import { expect, test } from 'vitest';
import { endOpenObjects } from '../../../../actors/detectors/objects/open-objects.ts';
import type { DetectedObject } from '../../../../bus/messages.ts';
import type { Bus } from '../../../../bus/nats/bus.ts';
import { Outbox } from '../../../../bus/nats/outbox.ts';
import { events, objects } from '../../../../bus/subjects.ts';
import { startTestBus } from '../../../support/bus.ts';

const at = (second: number) => 1_732_112_580_000_000 + second * 1e6;

const object = (id: string, monitorID: string, start: number, end: number | null): DetectedObject => ({
  id,
  monitorID,
  label: 'person',
  start: at(start),
  end: end === null ? null : at(end),
  score: 50,
  eventID: `event of ${id}`,
});

let told = 0;
async function tell(bus: Bus, ...lives: DetectedObject[]): Promise<void> {
  for (const life of lives) await bus.store(objects, [life.monitorID], life, `told ${told++}`);
}

async function see(bus: Bus, monitorID: string, second: number): Promise<void> {
  const detections = [{ label: 'person', score: 50 }];
  const event = { id: `${second}`, monitorID, monitorName: '', source: 'tflite', detections };
  await bus.store(events, [monitorID, 'tflite'], { ...event, time: at(second) }, `${second}`);
}

/** What is told of when lost objects are ended. */
async function ended(bus: Bus): Promise<DetectedObject[]> {
  const lives: DetectedObject[] = [];
  const forget = bus.subscribe(objects, ['*'], (life) => void lives.push(life));
  const outbox = new Outbox(100, () => {});
  outbox.attach(bus);
  await endOpenObjects(bus, outbox);
  await outbox.flush(5000);
  await bus.flush();
  forget();
  return lives;
}

test('open objects of a killed host end at their monitor’s last report', async () => {
  const { bus } = await startTestBus();
  const [seen, never] = [object('a', 'door', 10, null), object('b', 'gone', 12, null)];
  await tell(bus, seen, object('c', 'door', 11, null), never, object('c', 'door', 11, 13));
  await see(bus, 'door', 15);
  await see(bus, 'door', 17);
  await see(bus, 'other', 20);
  expect(await ended(bus)).toEqual([
    { ...seen, end: at(17) },
    { ...never, end: at(12) },
  ]);
  expect(await ended(bus)).toEqual([]);
});

test('nothing is published where there was never an object, or each has its end', async () => {
  const { bus } = await startTestBus();
  expect(await ended(bus)).toEqual([]);
  await tell(bus, object('a', 'door', 10, null), object('a', 'door', 10, 13));
  expect(await ended(bus)).toEqual([]);
});

test('an object whose last event is older than it ends where it begins', async () => {
  const { bus } = await startTestBus();
  await see(bus, 'door', 10);
  await tell(bus, object('a', 'door', 14, null));
  expect(await ended(bus)).toEqual([object('a', 'door', 14, 14)]);
});

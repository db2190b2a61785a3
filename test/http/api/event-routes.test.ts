import { hostname } from 'node:os';
import { beforeAll, expect, test } from 'vitest';
import { Outbox } from '../../../bus/nats/outbox.ts';
import { formatRecordingID } from '../../../bus/recording-id.ts';
import { events, recordings } from '../../../bus/subjects.ts';
import { snapshotEventID, writeSnapshot } from '../../../store/recordings/snapshots.ts';
import { began, second } from '../../support/footage.ts';
import { type FrontDoor, openFrontDoor, user } from '../../support/http-server.ts';

let door: FrontDoor;
beforeAll(async () => {
  door = await openFrontDoor();
});

const path = (id: string) => `/api/event/${id}/snapshot.jpeg`;

test('every account sees the picture beside an event', async () => {
  const id = snapshotEventID(Date.now());
  await writeSnapshot(door.folder, id, Uint8Array.of(0xff, 0xd8, 0xff, 0xd9));
  const response = await door.fetch(path(id), {}, user);
  expect(response.status).toBe(200);
  expect(response.headers.get('content-type')).toBe('image/jpeg');
  expect(response.headers.get('cache-control')).toContain('private');
  expect([...new Uint8Array(await response.arrayBuffer())]).toEqual([0xff, 0xd8, 0xff, 0xd9]);
});

test.each([
  snapshotEventID(Date.now()),
  '..%2F..%2Faccounts',
  '20261123T042353123-..%2F..%2Fabcde',
  'G7TRMJ1M5Z7Q0F3XG4D0KQ',
])('there is no picture of %s', async (id) => {
  const response = await door.fetch(path(id), {}, user);
  expect(response.status).toBe(404);
});

test('events are listed with their detections and the recording that shows them', async () => {
  const outbox = new Outbox(100, () => {});
  outbox.attach(door.bus);
  const recording = formatRecordingID({ startMs: began / 1000, monitorID: 'door', stream: 'main' });
  outbox.add(recordings, ['door'], {
    ...{ id: recording, monitorID: 'door', state: 'saved', start: began, end: began + 60 * second },
    ...{ bytes: 1, streams: [], reason: '' },
  });
  const box = { x: 1, y: 2, width: 3, height: 4 };
  const person = { label: 'person', score: 90, box, object: 'p1' };
  const pictured = snapshotEventID(began / 1000 + 1000);
  const happened = [
    { id: pictured, at: 1, monitorID: 'door', detections: [person, { label: 'dog', score: 50 }] },
    { id: 'later', at: 61, monitorID: 'door', detections: [{ label: 'zone0', score: 2 }] },
    { id: 'soon', at: 21, monitorID: 'door', detections: [{ label: 'zone0', score: 99 }] },
    { id: 'yard', at: 2, monitorID: 'yard', detections: [{ label: 'person', score: 70 }] },
  ];
  for (const { at, monitorID, ...event } of happened)
    outbox.add(events, [monitorID, 'tflite'], {
      ...{ ...event, monitorID, monitorName: monitorID, source: 'tflite', time: began + at * second },
    });
  const passing = Array.from({ length: 80 }, (_, index) => 100 + index + (index < 40 ? 0 : 60));
  for (const at of passing)
    outbox.add(events, ['gate', 'tflite'], {
      ...{
        id: `g${at}`,
        monitorID: 'gate',
        monitorName: 'gate',
        source: 'tflite',
        time: began + at * second,
      },
      detections: [{ label: 'cat', score: at === 110 ? 60 : 50 }],
    });
  await outbox.flush(5000);
  const machine = hostname();
  const ask = async (search: string) => (await door.fetch(`/api/event/query?${search}`, {}, user)).json();
  const ids = async (search: string) => (await ask(search)).map(({ id }: { id: string }) => id);

  expect(await ask('monitors=door')).toEqual([
    {
      ...{ id: 'later', monitorID: 'door', machine, source: 'tflite', time: began + 61 * second },
      detections: [{ label: 'zone0', score: 2 }],
      ...{ recording: null, snapshot: false },
    },
    {
      ...{ id: 'soon', monitorID: 'door', machine, source: 'tflite', time: began + 21 * second },
      detections: [{ label: 'zone0', score: 99 }],
      ...{ recording, snapshot: false },
    },
    {
      ...{ id: pictured, monitorID: 'door', machine, source: 'tflite', time: began + second },
      detections: [person, { label: 'dog', score: 50 }],
      ...{ recording, snapshot: true },
    },
  ]);
  expect(await ids('labels=person')).toEqual(['yard', pictured]);
  expect(await ids(`start=${began + 2 * second}&order=oldest&limit=1`)).toEqual(['yard']);
  expect(await ids(`end=${began + 2 * second}`)).toEqual([pictured]);
  const grouped = await (await door.fetch('/api/event/occurrences?monitors=door', {}, user)).json();
  expect(grouped).toEqual([
    {
      ...{ monitorID: 'door', machine, start: began + 61 * second, end: began + 61 * second, events: 1 },
      labels: { zone0: 2 },
      best: { id: 'later', time: began + 61 * second, recording: null, snapshot: false },
    },
    {
      ...{ monitorID: 'door', machine, start: began + second, end: began + 21 * second, events: 2 },
      labels: { dog: 50, person: 90, zone0: 99 },
      best: { id: pictured, time: began + second, recording, snapshot: true },
    },
  ]);
  // More events than are looked at first.
  const [oldest, ...more] = await (
    await door.fetch('/api/event/occurrences?monitors=gate&limit=1&order=oldest', {}, user)
  ).json();
  expect(oldest).toMatchObject({ start: began + 100 * second, end: began + 139 * second, events: 40 });
  expect([oldest.best.id, more]).toEqual(['g110', []]);
  const [newest] = await (await door.fetch('/api/event/occurrences?monitors=gate&limit=1', {}, user)).json();
  expect(newest).toMatchObject({ start: began + 200 * second, end: began + 239 * second, events: 40 });
  // The next page, for occurrences that go on while one of another monitor begins: they are whole there.
  const page = async (search: string) => {
    const answer = await door.fetch(`/api/event/occurrences?${search}`, {}, user);
    return ((await answer.json()) as { monitorID: string; start: number; end: number; events: number }[]).map(
      (one) => [one.monitorID, (one.start - began) / second, (one.end - began) / second, one.events],
    );
  };
  expect(await page(`before=${began + 2 * second}`)).toEqual([['door', 1, 21, 2]]);
  expect(await page(`before=${began + 2 * second + 1}&limit=1`)).toEqual([['yard', 2, 2, 1]]);
  expect(await page(`before=${began + 120 * second}&limit=1`)).toEqual([['gate', 100, 139, 40]]);
  expect(await page(`before=${began + 120 * second}&end=${began + 110 * second}&limit=1`)).toEqual([
    ['gate', 100, 109, 10],
  ]);
  expect((await door.fetch('/api/event/query?start=2&end=1', {}, user)).status).toBe(400);
});

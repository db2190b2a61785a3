import { beforeAll, describe, expect, test } from 'vitest';
import type { RecordingReport } from '../../../bus/messages.ts';
import { Outbox } from '../../../bus/nats/outbox.ts';
import { formatRecordingID } from '../../../bus/recording-id.ts';
import { events, recordings } from '../../../bus/subjects.ts';
import { began, second } from '../../support/footage.ts';
import { type FrontDoor, openFrontDoor, user } from '../../support/http-server.ts';

const minute = 60 * second;
let door: FrontDoor;
let outbox: Outbox;

beforeAll(async () => {
  door = await openFrontDoor();
  outbox = new Outbox(100_000, () => {});
  outbox.attach(door.bus);
  add('door', 0, 10);
  add('door', 10, 20);
  add('door', 30, 31);
  add('yard', 5, 6);
  happen('door', 'person', 1);
  happen('door', 'person', 1.5);
  happen('door', 'car', 59);
  await outbox.flush(10_000);
});

/** Minutes after the beginning. */
function add(monitorID: string, from: number, to: number, state: RecordingReport['state'] = 'saved') {
  const [start, end] = [began + from * minute, began + to * minute];
  const id = formatRecordingID({ startMs: Math.floor(start / second) * 1000, monitorID, stream: 'main' });
  outbox.add(recordings, [monitorID], {
    id,
    monitorID,
    state,
    start,
    end,
    bytes: 1,
    streams: [],
    reason: '',
  });
  return id;
}

let number = 0;
function happen(monitorID: string, label: string, at: number) {
  number += 1;
  const message = { monitorID, monitorName: monitorID, source: 'tflite', time: began + at * minute };
  outbox.add(events, [monitorID, 'tflite'], {
    ...message,
    id: `e${number}`,
    detections: [{ label, score: 90 }],
  });
}

const ask = (search: string) => door.fetch(`/api/timeline?${search}`, {}, user);
const hour = `start=${began}&end=${began + 60 * minute}`;

describe('the timeline', () => {
  test('says in which buckets something was recorded, and what happened in them', async () => {
    expect(await (await ask(`${hour}&bucket=${minute}&monitors=door,yard`)).json()).toEqual({
      start: began,
      end: began + 60 * minute,
      bucket: minute,
      monitors: [
        {
          id: 'door',
          recorded: [
            [0, 19],
            [30, 30],
          ],
          events: { car: [[59, 1]], person: [[1, 2]] },
        },
        { id: 'yard', recorded: [[5, 5]], events: {} },
      ],
    });
    const { monitors } = await (await ask(`${hour}&bucket=${30 * minute}&monitors=door`)).json();
    expect(monitors).toEqual([
      { id: 'door', recorded: [[0, 1]], events: { car: [[1, 1]], person: [[0, 2]] } },
    ]);
  });

  test('chooses a bucket that fits', async () => {
    const bucketOf = async (to: number) =>
      (await (await ask(`start=${began}&end=${began + to}&monitors=door`)).json()).bucket;
    expect(await bucketOf(60 * second)).toBe(second);
    expect(await bucketOf(60 * minute)).toBe(10 * second);
    expect(await bucketOf(24 * 60 * minute)).toBe(5 * minute);
    expect(await bucketOf(20 * 365 * 24 * 60 * minute)).toBe(16 * 24 * 60 * minute);
  });

  test('is bounded however much there is', async () => {
    for (let monitor = 0; monitor < 60; monitor += 1) {
      const monitorID = `many${monitor}`;
      for (let index = 0; index < 200; index += 1) add(monitorID, 10_000 + index * 5, 10_001 + index * 5);
      for (const label of ['person', 'car', 'dog']) happen(monitorID, label, 10_000 + monitor);
    }
    await outbox.flush(30_000);
    const week = `start=${began + 10_000 * minute}&end=${began + 11_000 * minute}`;
    const text = await (await ask(week)).text();
    expect(text.length).toBeLessThanOrEqual(65_536);
    const { bucket, monitors } = JSON.parse(text);
    expect(monitors).toHaveLength(60);
    // Twice as fine would not fit.
    const finer = await ask(`${week}&bucket=${bucket / 2}`);
    expect([finer.status, (await finer.json()).pointer]).toEqual([400, '/bucket']);
  });

  test('forgets what was deleted, and has what is being written until now', async () => {
    const id = add('gone', 0, 10);
    await outbox.flush(5000);
    const monitors = async () => (await (await ask(`${hour}&monitors=gone`)).json()).monitors;
    expect(await monitors()).toHaveLength(1);
    const at = { start: began, end: began, bytes: 0, streams: [], reason: 'disk limit' };
    outbox.add(recordings, ['gone'], { id, monitorID: 'gone', state: 'deleted', ...at });
    add('live', 0, 1, 'growing');
    await outbox.flush(5000);
    expect(await monitors()).toEqual([]);
    const { monitors: live } = await (await ask(`${hour}&monitors=live&bucket=${minute}`)).json();
    expect(live).toEqual([{ id: 'live', recorded: [[0, 59]], events: {} }]);
  });

  test.each([
    `start=${began}`,
    `start=${began}&end=${began}`,
    `${hour}&bucket=999999`,
    `start=0&end=${began}&bucket=1000000`,
    `${hour}&monitors=a.b`,
  ])('%s is refused', async (search) => {
    const answer = await ask(search);
    expect([answer.status, (await answer.json()).code]).toEqual([400, 'invalid_value']);
  });
});

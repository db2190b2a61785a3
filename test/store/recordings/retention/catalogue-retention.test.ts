import { existsSync } from 'node:fs';
import { mkdir, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import type { RecordingReport } from '../../../../bus/messages.ts';
import type { Bus } from '../../../../bus/nats/bus.ts';
import { Outbox } from '../../../../bus/nats/outbox.ts';
import { formatRecordingID } from '../../../../bus/recording-id.ts';
import { events, recordings } from '../../../../bus/subjects.ts';
import { removeEventSnapshots } from '../../../../store/recordings/event-snapshots.ts';
import { readSnapshot, snapshotEventID, writeSnapshot } from '../../../../store/recordings/snapshots.ts';
import { temporaryFolder } from '../../../support/folder.ts';
import { pathOf } from '../../../support/footage.ts';
import { dayMs, hourMs, retentionOf } from '../../../support/retention.ts';
import { startTestLog } from '../../../support/test-log.ts';

/** Recordings that are in the catalogue and on the disk. */

const now = Date.now();

interface Archive {
  readonly storageDir: string;
  readonly bus: Bus;
}

/** An hour of this monitor, which began so many milliseconds ago. @returns its id. */
async function record(
  { storageDir, bus }: Archive,
  monitorID: string,
  ageMs: number,
  options: {
    readonly state?: RecordingReport['state'];
    readonly bytes?: number;
    readonly listed?: boolean;
  } = {},
): Promise<string> {
  const { state = 'saved', bytes = 1000, listed = true } = options;
  const startMs = now - ageMs;
  const id = formatRecordingID({ startMs, monitorID, stream: 'main' });
  const path = pathOf(join(storageDir, 'recordings'), id, monitorID);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, Buffer.alloc(bytes));
  await utimes(path, (startMs + hourMs) / 1000, Math.min(startMs + hourMs, now - 120_000) / 1000);
  const [start, end] = [startMs * 1000, (startMs + hourMs) * 1000];
  const message = { id, monitorID, state, start, end, bytes, streams: [], reason: '' };
  if (listed) await publish(bus, (outbox) => outbox.add(recordings, [monitorID], message));
  return id;
}

async function publish(bus: Bus, add: (outbox: Outbox) => void): Promise<void> {
  const outbox = new Outbox(10, () => {});
  outbox.attach(bus);
  add(outbox);
  await outbox.flush(5000);
}

async function startArchive() {
  const storageDir = await temporaryFolder();
  const { bus, open } = await startTestLog();
  const catalogue = await open();
  const left = async () =>
    (await readdir(join(storageDir, 'recordings'), { recursive: true }))
      .filter((name) => name.endsWith('.mp4'))
      .map((name) => name.slice(-'2026-11-23_03-40-12_door.mp4'.length, -4))
      .sort();
  return { storageDir, bus, catalogue, left };
}

test('the oldest are those that were recorded first, whatever the clock said', async () => {
  const archive = await startArchive();
  const { storageDir, catalogue, left } = archive;
  // While the clock was a year ahead, and while it was ten years behind.
  const ahead = await record(archive, 'door', -365 * dayMs);
  const first = await record(archive, 'door', 20 * dayMs);
  const second = await record(archive, 'gate', 10 * dayMs);
  const behind = await record(archive, 'door', 3650 * dayMs);
  const last = await record(archive, 'door', 2 * hourMs);
  const within = async (maxBytes: number) => {
    const limits = { maxBytes, minFreeBytes: 0 };
    await (await retentionOf(storageDir, { catalogue, limits })).retention.prune(now);
    return left();
  };
  expect(await within(4500)).toEqual([first, second, behind, last].sort());
  await expect.poll(async () => (await catalogue.usage({ kind: 'days' })).days?.length).toBe(5);
  expect(existsSync(pathOf(join(storageDir, 'recordings'), ahead))).toBe(false);
});

test('a recording of a clock that was ahead goes with the days of its monitor', async () => {
  const archive = await startArchive();
  const { storageDir, catalogue, left } = archive;
  await record(archive, 'door', -365 * dayMs);
  await record(archive, 'door', 20 * dayMs);
  const last = await record(archive, 'door', 2 * hourMs);
  const rules = { door: { maxAgeMs: 10 * dayMs } };
  const { retention, removed } = await retentionOf(storageDir, { catalogue, rules });
  await retention.prune(now);
  expect(await left()).toEqual([last]);
  expect(removed).toHaveLength(2);
});

test('a clock that is years ahead makes nothing too old, also over a restart', async () => {
  const archive = await startArchive();
  const { storageDir, catalogue, left } = archive;
  const rules = { door: { maxAgeMs: 10 * dayMs } };
  const prune = async (nowMs: number) => {
    const { retention } = await retentionOf(storageDir, { catalogue, rules });
    return retention.prune(nowMs);
  };
  const old = await record(archive, 'door', 8 * dayMs);
  const last = await record(archive, 'door', 2 * hourMs);
  await prune(now);
  for (let start = 0; start < 2; start += 1) {
    expect(await prune(now + 34 * 365 * dayMs)).toMatchObject({ files: 0 });
    expect(await left()).toEqual([old, last]);
  }
  expect((await prune(now + 3 * dayMs)).doubtedMs).toBeGreaterThan(2 * dayMs);
  expect(await left()).toEqual([old, last]);
});

test('the recording that is being written stays, even if its file has not changed for minutes', async () => {
  const archive = await startArchive();
  const { storageDir, catalogue, left } = archive;
  await record(archive, 'door', 5 * hourMs);
  const open = await record(archive, 'door', 3 * hourMs, { state: 'growing' });
  const limits = { maxBytes: 100, minFreeBytes: 0 };
  const { retention } = await retentionOf(storageDir, { catalogue, limits });
  expect(await retention.prune(now)).toMatchObject({ files: 1 });
  expect(await left()).toEqual([open]);
});

test('what the catalogue has not is found in the folder, and what the folder has not is reported', async () => {
  const archive = await startArchive();
  const { storageDir, catalogue, left } = archive;
  const gone = await record(archive, 'door', 10 * dayMs);
  await rm(pathOf(join(storageDir, 'recordings'), gone));
  await record(archive, 'door', 9 * dayMs, { listed: false });
  const newer = [
    await record(archive, 'door', 8 * dayMs),
    await record(archive, 'door', 7 * dayMs, { listed: false }),
  ];
  const limits = { maxBytes: 2500, minFreeBytes: 0 };
  const { retention, removed } = await retentionOf(storageDir, { catalogue, limits });
  expect(await retention.prune(now)).toMatchObject({ files: 1, bytes: 1000 });
  expect(await left()).toEqual(newer);
  expect(removed[0]).toBe(`${gone}: the file is gone`);
});

test('an empty folder of recordings does not empty the catalogue', async () => {
  const archive = await startArchive();
  await record(archive, 'door', 10 * dayMs);
  await rm(join(archive.storageDir, 'recordings'), { recursive: true });
  const { retention, removed } = await retentionOf(archive.storageDir, { catalogue: archive.catalogue });
  await retention.prune(now);
  expect(removed).toEqual([]);
});

test('which recordings hold an event is noted beside them, and keeps them without the event', async () => {
  const archive = await startArchive();
  const { storageDir, bus, catalogue, left } = archive;
  await record(archive, 'door', 21 * dayMs);
  const held = await record(archive, 'door', 20 * dayMs);
  const last = await record(archive, 'door', hourMs);
  const time = (now - 20 * dayMs + 10 * 60_000) * 1000;
  const message = { id: 'e1', monitorID: 'door', monitorName: 'door', source: 'tflite', time };
  const detections = [{ label: 'person', score: 90 }];
  await publish(bus, (outbox) => outbox.add(events, ['door', 'tflite'], { ...message, detections }));
  const eventMs = new Map([['person', 60 * dayMs]]);
  const rules = { door: { maxAgeMs: 10 * dayMs, eventMs } };
  const spans: unknown[] = [];
  const { retention, marks } = await retentionOf(storageDir, {
    ...{ catalogue, rules },
    removeRest: async (removed) => void spans.push(...removed.map(({ id }) => id)),
  });
  await retention.prune(now);
  expect(await left()).toEqual([held, last].sort());
  expect(await marks.labels(held)).toEqual(['person']);
  expect(spans).toHaveLength(1);
  expect(
    await catalogue.usage({ kind: 'events', spans: [{ monitorID: 'door', start: time, end: time + 1 }] }),
  ).toEqual({ events: ['e1'] });
  // Without a catalogue, and without the event.
  await (await retentionOf(storageDir, { rules })).retention.prune(now);
  expect(await left()).toEqual([held, last].sort());
});

test('the snapshots of events go with their recording, those of other monitors and times stay', async () => {
  const archive = await startArchive();
  const { storageDir, bus, catalogue, left } = archive;
  await record(archive, 'door', 20 * dayMs);
  const last = await record(archive, 'door', 2 * hourMs);
  const detections = [{ label: 'person', score: 90 }];
  const snapshots: string[] = [];
  for (const [monitorID, ageMs] of [
    ['door', 20 * dayMs - 60_000],
    ['gate', 20 * dayMs - 60_000],
    ['door', 2 * hourMs - 60_000],
  ] as const) {
    const id = snapshotEventID(now - ageMs);
    snapshots.push(id);
    await writeSnapshot(storageDir, id, Uint8Array.of(1));
    const message = { id, monitorID, monitorName: monitorID, source: 'tflite', time: (now - ageMs) * 1000 };
    await publish(bus, (outbox) => outbox.add(events, [monitorID, 'tflite'], { ...message, detections }));
  }
  const { retention } = await retentionOf(storageDir, {
    ...{ catalogue, rules: { door: { maxAgeMs: 10 * dayMs } } },
    removeRest: (recordings) => removeEventSnapshots(storageDir, catalogue, recordings),
  });
  await retention.prune(now);
  expect(await left()).toEqual([last]);
  const found = await Promise.all(snapshots.map((id) => readSnapshot(storageDir, id)));
  expect(found.map((picture) => picture !== undefined)).toEqual([false, true, true]);
});

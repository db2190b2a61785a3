import { expect, test } from 'vitest';
import type { StorageReport } from '../../../store/recordings/retention/storage-figures.ts';
import { addFootage, second } from '../../support/footage.ts';
import { admin, openFrontDoor, user } from '../../support/http-server.ts';
import { testMonitor } from '../../support/monitors.ts';
import { makeVideo, video } from '../../support/pipeline-recorder.ts';
import type { Login } from '../../support/recorder.ts';

test('says what is kept, and for how many days there is space, by monitor too', async () => {
  const [door] = await Promise.all([openFrontDoor(), makeVideo()]);
  const gigabyte = 1e9;
  await door.monitors.put(testMonitor('yard', { retention: { maxGigabytes: 0.001 } }) as never);
  const start = Date.now() * 1000 - 12 * 3600 * second;
  const id = await addFootage(door, { start, fragments: video.slice(0, 10) });
  await addFootage(door, { start, fragments: video.slice(0, 10), monitorID: 'yard' });
  await door.change('PUT', `/api/recording/${id}/protect`);

  const report: StorageReport = await (await door.fetch('/api/storage')).json();
  const [first, yard] = report.monitors;
  const bytes = first?.bytes ?? 0;
  expect(bytes).toBeGreaterThan(1000);
  expect(first).toMatchObject({ id: 'door', recordings: 1, oldest: start, protectedBytes: bytes });
  // Of the last twelve hours.
  expect(first?.bytesPerDay).toBeGreaterThan(1.99 * bytes);
  expect(first?.bytesPerDay).toBeLessThan(2.01 * bytes);
  expect(report).toMatchObject({ maxBytes: gigabyte, recordingBytes: 2 * bytes, protectedBytes: bytes });
  expect(report.logBytes).toBeGreaterThan(1000);
  const rest = Math.min(gigabyte - 2 * bytes - report.logBytes - report.busBytes, report.disk.free);
  expect(report.daysLeft).toBeCloseTo(rest / (4 * bytes), -1);
  expect(first?.daysLeft).toBe(report.daysLeft);
  expect(yard?.daysLeft).toBeCloseTo((1e6 - bytes) / (2 * bytes), 0);

  const { daysLeft, isFilling, monitors } = report;
  const left = monitors.map((monitor) => ({ id: monitor.id, daysLeft: monitor.daysLeft }));
  const health = await (await door.fetch('/api/health')).json();
  expect(health).toEqual({ ok: true, storage: { state: 'room', daysLeft, isFilling, monitors: left } });
});

test('does not know for how long there is space before ten minutes are recorded', async () => {
  const [door] = await Promise.all([openFrontDoor(), makeVideo()]);
  await addFootage(door, { start: Date.now() * 1000 - 60 * second, fragments: video.slice(0, 10) });
  const { recordingBytes, daysLeft, monitors }: StorageReport = await (
    await door.fetch('/api/storage')
  ).json();
  expect(recordingBytes).toBeGreaterThan(0);
  expect({ daysLeft, monitors }).toMatchObject({
    daysLeft: null,
    monitors: [{ bytesPerDay: 0, daysLeft: null }],
  });
});

test('is for admins, also where health needs no login', async () => {
  const door = await openFrontDoor();
  const health = async (login: Login, headers = {}) =>
    (await door.fetch('/api/health', { headers }, login)).json();
  expect(await health(admin)).toEqual({ ok: true, storage: null });
  const { cookie } = await door.logIn();
  expect(await health(null, { cookie })).toEqual({ ok: true, storage: null });
  expect(await health(null, { cookie, 'sec-fetch-site': 'cross-site' })).toEqual({ ok: true });
  for (const login of [null, user, { ...admin, password: 'wrong' }])
    expect(await health(login)).toEqual({ ok: true });
  expect((await door.fetch('/api/storage', {}, user)).status).toBe(403);
  expect((await door.fetch('/api/storage')).status).toBe(200);
});

import { mkdir, readdir, symlink, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { RecordingRetention } from '../../../../store/recordings/retention/recording-retention.ts';
import { leaveFree, smallDisk } from '../../../support/disk.ts';
import { temporaryFolder } from '../../../support/folder.ts';
import { dayMs, hourMs, retentionOf } from '../../../support/retention.ts';

const now = Date.parse('2026-11-23T12:00:00Z');

/** Files of a thousand bytes, of one minute ago or older. */
async function folderOf(names: readonly string[]): Promise<string> {
  const folder = await temporaryFolder();
  await fill(join(folder, 'recordings'), names, 1000);
  return folder;
}

async function fill(folder: string, names: readonly string[], bytes: number): Promise<void> {
  for (const name of names) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), Buffer.alloc(bytes));
    await utimes(join(folder, name), now / 1000, now / 1000 - 61);
  }
}

/** One look. */
async function prune(folder: string, maxBytes: number): Promise<{ files: number; bytes: number }> {
  const { retention } = await retentionOf(folder, { limits: { maxBytes, minFreeBytes: 0 } });
  const { files, bytes, state } = await retention.prune(now);
  expect(state).toBe('room');
  return { files, bytes };
}

const left = async (folder: string) =>
  (await readdir(join(folder, 'recordings'), { recursive: true, withFileTypes: true }))
    .filter((entry) => !entry.isDirectory())
    .map(({ name }) => name)
    .sort();

const door = '2026/11/01/door/2026-11-01_10-00-00_door';
const gate = '2026/11/01/gate/2026-11-01_09-00-00_gate';
const later = '2026/11/20/gate/2026-11-20_09-00-00_gate';

test('the oldest recordings of all monitors go first, with what belongs to them, until the rest has room', async () => {
  const folder = await folderOf([`${door}.mp4`, `${gate}.mp4`, `${gate}.jpeg`, `${later}.mp4`]);
  expect(await prune(folder, 4000)).toEqual({ files: 0, bytes: 0 });
  expect(await prune(folder, 3500)).toEqual({ files: 1, bytes: 1000 });
  expect(await left(folder)).toEqual(['2026-11-01_10-00-00_door.mp4', '2026-11-20_09-00-00_gate.mp4']);
  expect(await readdir(join(folder, 'recordings/2026/11/01'))).toEqual(['door']);
  await prune(folder, 1500);
  expect(await readdir(join(folder, 'recordings/2026/11'))).toEqual(['20']);
});

test('a file that was written when the clock was ahead goes like any other', async () => {
  const folder = await folderOf([`${door}.mp4`, `${later}.mp4`]);
  const ahead = now / 1000 + 2 * 3600;
  await utimes(join(folder, 'recordings', `${door}.mp4`), ahead, ahead);
  expect(await prune(folder, 1500)).toEqual({ files: 1, bytes: 1000 });
  expect(await left(folder)).toEqual(['2026-11-20_09-00-00_gate.mp4']);
});

test('what is still written, and what is no recording, stays', async () => {
  const folder = await folderOf([
    `${door}.mp4`,
    `${later}.mp4`,
    'notes.txt',
    '2026/11/01/door/mine.mp4',
    '.door.1.part',
  ]);
  const recordings = join(folder, 'recordings');
  await utimes(join(recordings, `${door}.mp4`), now / 1000, now / 1000 - 59);
  await mkdir(join(recordings, '2025/01/01/door'), { recursive: true });
  const elsewhere = join(await folderOf(['important']), 'recordings/important');
  await symlink(elsewhere, join(recordings, '2025/01/01/door/2025-01-01_00-00-00_door.mp4'));
  expect((await prune(folder, 1)).files).toBe(1);
  expect(await left(folder)).toEqual(
    [
      '.door.1.part',
      '2025-01-01_00-00-00_door.mp4',
      '2026-11-01_10-00-00_door.mp4',
      'mine.mp4',
      'notes.txt',
    ].sort(),
  );
});

/** A disk of 100 MB, of which 5 MB have to stay free. */
async function hundredMegabytes(
  skip: () => void,
): Promise<{ disk: string; room: RecordingRetention; free(bytes: number): Promise<void> }> {
  const disk = await smallDisk(100);
  if (disk === undefined) {
    skip();
    throw new Error('no disk can be mounted here');
  }
  const { retention: room } = await retentionOf(disk, { limits: { maxBytes: 1e9, minFreeBytes: 1e9 } });
  return {
    disk,
    room,
    /** Somebody else's file takes all but so many megabytes. */
    async free(megabytes) {
      await leaveFree(join(disk, 'others'), megabytes);
    },
  };
}
const hourly = (monitor: string, hours: readonly number[]) =>
  hours.map(
    (hour) => `2026/11/22/${monitor}/2026-11-22_${String(hour).padStart(2, '0')}-00-00_${monitor}.mp4`,
  );

describe('on a small disk', () => {
  test('recordings stay while there is room', async ({ skip }) => {
    const { disk, room, free } = await hundredMegabytes(skip);
    await fill(join(disk, 'recordings'), hourly('door', [1, 2, 3]), 1e6);
    expect(await room.prune(now)).toMatchObject({ files: 0, state: 'room' });
    await free(6);
    expect(await room.prune(now)).toMatchObject({ files: 0, state: 'room' });
  });

  test('that somebody else fills, deleting stops when it does not help', async ({ skip }) => {
    const { disk, room, free } = await hundredMegabytes(skip);
    const recordings = hourly(
      'door',
      Array.from({ length: 20 }, (_, hour) => hour),
    );
    await fill(join(disk, 'recordings'), recordings, 1e6);
    await free(2.5);
    const { state, files, disk: space } = await room.prune(now);
    expect({ state, files }).toEqual({ state: 'full', files: 3 });
    expect(space.others / 1e6).toBeCloseTo(77.5, 0);
    expect(space.recordings).toBe(17e6);
    // What was freed is taken at once, whenever something is.
    const states: string[] = [];
    for (let look = 0; look < 40; look += 1) {
      await free(2.5);
      states.push((await room.prune(now)).state);
    }
    expect(states.slice(0, 8)).toEqual([
      'taken',
      'taken',
      'full',
      'taken',
      'taken',
      'taken',
      'full',
      'taken',
    ]);
    expect((await left(disk)).length).toBeGreaterThanOrEqual(5);
    await free(10);
    expect(await room.prune(now)).toMatchObject({ files: 0, state: 'room' });
  });

  test('that is full, deleting goes on while it helps', async ({ skip }) => {
    const { disk, room, free } = await hundredMegabytes(skip);
    await fill(join(disk, 'recordings'), hourly('door', [1, 2, 3, 4, 5, 6]), 1e6);
    await free(4.5);
    for (const hour of [11, 12, 13]) {
      expect(await room.prune(now)).toMatchObject({ files: 1, state: 'full' });
      await fill(join(disk, 'recordings'), hourly('door', [hour]), 1e6);
    }
    expect(await left(disk)).toHaveLength(6);
  });

  test('the last hour of each monitor and stream stays', async ({ skip }) => {
    const { disk, room, free } = await hundredMegabytes(skip);
    const names = [
      ...hourly('door', [1, 2, 10]),
      ...hourly('gate', [3, 4]),
      '2026/11/22/door/2026-11-22_09-30-00_door.mp4',
      '2026/11/22/door/2026-11-22_05-00-00_door_sub.mp4',
      '2026/11/22/door/2026-11-22_07-00-00_door_sub.mp4',
    ];
    await fill(join(disk, 'recordings'), names, 1e5);
    await free(1);
    expect(await room.prune(now)).toMatchObject({ files: 4, state: 'newest' });
    expect(await room.prune(now)).toMatchObject({ files: 0, state: 'newest' });
    expect(await left(disk)).toEqual([
      '2026-11-22_04-00-00_gate.mp4',
      '2026-11-22_07-00-00_door_sub.mp4',
      '2026-11-22_09-30-00_door.mp4',
      '2026-11-22_10-00-00_door.mp4',
    ]);
  });
});

const daily = (monitor: string, days: readonly number[]) =>
  days.map((day) => {
    const date = String(day).padStart(2, '0');
    return `2026/11/${date}/${monitor}/2026-11-${date}_10-00-00_${monitor}.mp4`;
  });

/** Files whose last frames are an hour younger than their ids. */
async function archiveOf(names: readonly string[], bytes = 1000): Promise<string> {
  const folder = await temporaryFolder();
  const recordings = join(folder, 'recordings');
  await fill(recordings, names, bytes);
  for (const name of names) {
    const [, day, hour] = /(\d{4}-\d\d-\d\d)_(\d\d)/.exec(name) ?? [];
    const end = Date.parse(`${day}T${hour}:00:00Z`) / 1000 + 3600;
    await utimes(join(recordings, name), end, end);
  }
  return folder;
}
const daysLeft = async (folder: string) =>
  (await left(folder))
    .filter((name) => name.endsWith('.mp4'))
    .map((name) => name.slice(8, 10) + name.slice(19, -4));

describe('of one monitor', () => {
  test('recordings older than its days go, and no others', async () => {
    const folder = await archiveOf([...daily('door', [1, 13, 14, 22]), ...daily('gate', [1, 22])]);
    const { retention } = await retentionOf(folder, { rules: { door: { maxAgeMs: 10 * dayMs } } });
    expect(await retention.prune(now)).toMatchObject({ files: 2, state: 'room' });
    expect(await daysLeft(folder)).toEqual(['01_gate', '14_door', '22_door', '22_gate']);
  });

  test('the oldest recordings past its gigabytes go, and no others', async () => {
    const folder = await archiveOf([...daily('door', [1, 2, 3, 4]), ...daily('gate', [1, 2])]);
    const { retention } = await retentionOf(folder, { rules: { door: { maxBytes: 2500 } } });
    expect(await retention.prune(now)).toMatchObject({ files: 2 });
    expect(await daysLeft(folder)).toEqual(['01_gate', '02_gate', '03_door', '04_door']);
  });

  test('recordings with an event are kept for the days of its label', async () => {
    const folder = await archiveOf(daily('door', [1, 2, 3, 22]));
    const eventMs = new Map([
      ['person', 30 * dayMs],
      ['cat', 5 * dayMs],
    ]);
    const { retention, marks } = await retentionOf(folder, {
      rules: { door: { maxAgeMs: 10 * dayMs, eventMs } },
    });
    await marks.addLabels('2026-11-02_10-00-00_door', ['person']);
    await marks.addLabels('2026-11-03_10-00-00_door', ['cat']);
    expect(await retention.prune(now)).toMatchObject({ files: 2 });
    expect(await daysLeft(folder)).toEqual(['02_door', '22_door']);
  });
});

test('recordings kept for an event go after all others when space is needed', async () => {
  const folder = await archiveOf(daily('door', [1, 2, 3, 22]));
  const eventMs = new Map([['person', 30 * dayMs]]);
  const options = { rules: { door: { eventMs } } };
  const { marks } = await retentionOf(folder, options);
  await marks.addLabels('2026-11-01_10-00-00_door', ['person']);
  const within = async (maxBytes: number) => {
    const limits = { maxBytes, minFreeBytes: 0 };
    await (await retentionOf(folder, { ...options, limits })).retention.prune(now);
    return daysLeft(folder);
  };
  expect(await within(3500)).toEqual(['01_door', '03_door', '22_door']);
  expect(await within(2500)).toEqual(['01_door', '22_door']);
  expect(await within(1500)).toEqual(['22_door']);
});

test('a protected recording is never deleted, and the newest of the others stay beside it', async () => {
  const folder = await archiveOf(daily('door', [1, 2, 3, 21, 22]));
  const limits = { maxBytes: 1100, minFreeBytes: 0 };
  const { retention, marks } = await retentionOf(folder, {
    limits,
    rules: { door: { maxAgeMs: 30 * dayMs } },
  });
  await marks.protect('2026-11-01_10-00-00_door', 'admin');
  await marks.protect('2026-11-02_10-00-00_door', 'admin');
  expect((await retention.prune(now)).protectedBytes).toBe(2000);
  // A tenth of the limit stays for others: less than one recording here.
  expect(await daysLeft(folder)).toEqual(['01_door', '02_door']);
  await marks.unprotect('2026-11-01_10-00-00_door');
  await retention.prune(now);
  expect(await daysLeft(folder)).toEqual(['02_door']);
});

test('everything that the recorder keeps counts, and only recordings are deleted for it', async () => {
  const folder = await archiveOf(daily('door', [1, 2, 3, 4]));
  const limits = { maxBytes: 6000, minFreeBytes: 0 };
  const { retention } = await retentionOf(folder, { limits });
  expect(await retention.prune(now)).toMatchObject({ files: 0 });
  await mkdir(join(folder, 'bus', 'jetstream'), { recursive: true });
  await mkdir(join(folder, 'snapshots', '2026-11-01'), { recursive: true });
  await writeFile(join(folder, 'bus', 'jetstream', '1.blk'), Buffer.alloc(1000));
  await writeFile(join(folder, 'snapshots', '2026-11-01', 'x.jpeg'), Buffer.alloc(1000));
  await writeFile(join(folder, 'log.duckdb'), Buffer.alloc(1500));
  expect(await retention.prune(now)).toMatchObject({ files: 2 });
  await writeFile(join(folder, 'log.duckdb'), Buffer.alloc(50_000));
  expect(await retention.prune(now)).toMatchObject({ files: 2 });
});

test('the newest hours that a monitor asks for stay on a full disk', async ({ skip }) => {
  const disk = await smallDisk(100);
  if (disk === undefined) return skip('no disk can be mounted here');
  await fill(
    join(disk, 'recordings'),
    [...hourly('door', [1, 5, 8, 10]), ...hourly('gate', [1, 5, 10])],
    1e5,
  );
  await leaveFree(join(disk, 'others'), 1);
  const limits = { maxBytes: 1e9, minFreeBytes: 1e9 };
  const { retention } = await retentionOf(disk, { limits, rules: { door: { minMs: 6 * hourMs } } });
  expect(await retention.prune(now)).toMatchObject({ files: 3, state: 'newest' });
  expect(
    (await left(disk)).filter((name) => name.endsWith('.mp4')).map((name) => name.slice(11, 13)),
  ).toEqual(['05', '08', '10', '10']);
});

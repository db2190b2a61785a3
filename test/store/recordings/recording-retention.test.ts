import { mkdir, readdir, symlink, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { RecordingRetention } from '../../../store/recordings/recording-retention.ts';
import { leaveFree, smallDisk } from '../../support/disk.ts';
import { temporaryFolder } from '../../support/folder.ts';

const now = Date.parse('2026-11-23T12:00:00Z');

/** Files of a thousand bytes, of one minute ago or older. */
async function folderOf(names: readonly string[]): Promise<string> {
  const folder = await temporaryFolder();
  await fill(folder, names, 1000);
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
  const { files, bytes, state } = await new RecordingRetention(folder, { maxBytes, minFreeBytes: 0 }).prune(
    now,
  );
  expect(state).toBe('room');
  return { files, bytes };
}

const left = async (folder: string) =>
  (await readdir(folder, { recursive: true, withFileTypes: true }))
    .filter((entry) => !entry.isDirectory())
    .map(({ name }) => name)
    .sort();

const door = '2026/11/01/door/2026-11-01_10-00-00_door';
const gate = '2026/11/01/gate/2026-11-01_09-00-00_gate';
const later = '2026/11/20/gate/2026-11-20_09-00-00_gate';

test('the oldest recordings of all monitors go first, with what belongs to them, until the rest has room', async () => {
  const folder = await folderOf([`${door}.mp4`, `${gate}.mp4`, `${gate}.jpeg`, `${later}.mp4`]);
  expect(await prune(folder, 4000)).toEqual({
    files: 0,
    bytes: 0,
  });
  expect(await prune(folder, 2500)).toEqual({
    files: 2,
    bytes: 2000,
  });
  expect(await left(folder)).toEqual(['2026-11-01_10-00-00_door.mp4', '2026-11-20_09-00-00_gate.mp4']);
  expect(await readdir(join(folder, '2026/11/01'))).toEqual(['door']);
  await prune(folder, 1500);
  expect(await readdir(join(folder, '2026/11'))).toEqual(['20']);
});

test('what is still written, and what is no recording, stays', async () => {
  const folder = await folderOf([
    `${door}.mp4`,
    `${later}.mp4`,
    'notes.txt',
    '2026/11/01/door/mine.mp4',
    '.door.1.part',
  ]);
  await utimes(join(folder, `${door}.mp4`), now / 1000, now / 1000 - 59);
  await mkdir(join(folder, '2025/01/01/door'), { recursive: true });
  const elsewhere = join(await folderOf(['important']), 'important');
  await symlink(elsewhere, join(folder, '2025/01/01/door/2025-01-01_00-00-00_door.mp4'));
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
  await mkdir(join(disk, 'recordings'));
  const room = new RecordingRetention(join(disk, 'recordings'), { maxBytes: 1e9, minFreeBytes: 1e9 });
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
    expect((await left(join(disk, 'recordings'))).length).toBeGreaterThanOrEqual(5);
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
    expect(await left(join(disk, 'recordings'))).toHaveLength(6);
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
    expect(await room.prune(now)).toMatchObject({ files: 4, state: 'last-hour' });
    expect(await room.prune(now)).toMatchObject({ files: 0, state: 'last-hour' });
    expect(await left(join(disk, 'recordings'))).toEqual([
      '2026-11-22_04-00-00_gate.mp4',
      '2026-11-22_07-00-00_door_sub.mp4',
      '2026-11-22_09-30-00_door.mp4',
      '2026-11-22_10-00-00_door.mp4',
    ]);
  });
});

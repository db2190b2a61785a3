import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { AgeClock } from '../../../store/base/age-clock.ts';
import { pruneSnapshots, snapshotEventID, writeSnapshot } from '../../../store/recordings/snapshots.ts';
import { temporaryFolder } from '../../support/folder.ts';

const now = Date.UTC(2026, 10, 23, 12);
const hour = 60 * 60 * 1000;
const day = 24 * hour;

/** A folder with a picture for each age, in milliseconds; and what is left of them, oldest first. */
async function withPictures(ages: readonly number[]) {
  const folder = await temporaryFolder();
  const ids = ages.map((age) => snapshotEventID(now - age));
  for (const id of ids) await writeSnapshot(folder, id, Uint8Array.of(1));
  const left = async () => {
    const files = (await readdir(join(folder, 'snapshots'), { recursive: true })).sort();
    const names = files.filter((name) => name.endsWith('.jpeg')).map((name) => name.slice(11, -5));
    return names.map((name) => ages[ids.indexOf(name)]);
  };
  return { folder, left };
}

test('pictures of events older than thirty days are removed', async () => {
  const { folder, left } = await withPictures([40 * day, 31 * day, 29 * day, hour]);
  await pruneSnapshots(folder, now);
  expect(await left()).toEqual([29 * day, hour]);
});

test('a clock that is years ahead makes no picture too old', async () => {
  const { folder, left } = await withPictures([29 * day, hour]);
  await new AgeClock(folder).at(now);
  await pruneSnapshots(folder, now + 34 * 365 * day);
  expect(await left()).toEqual([29 * day, hour]);
});

test('of too many pictures the oldest are removed, also within a day', async () => {
  const ages = [3 * day, 2 * day, 2 * day - hour, 2 * day - 2 * hour, hour, 0];
  const { folder, left } = await withPictures(ages);
  await pruneSnapshots(folder, now, 6);
  expect(await left()).toEqual(ages);
  await pruneSnapshots(folder, now, 4);
  expect(await left()).toEqual(ages.slice(2));
  await pruneSnapshots(folder, now, 2);
  expect(await left()).toEqual(ages.slice(4));
  expect(await readdir(join(folder, 'snapshots'))).toEqual(['2026-11-23']);
});

test('where there are no pictures, none are removed', async () => {
  const folder = await temporaryFolder();
  await pruneSnapshots(folder, now);
  expect(await readdir(folder)).toEqual([]);
});

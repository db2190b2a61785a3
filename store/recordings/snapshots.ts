import { randomBytes } from 'node:crypto';
import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { writeAtomically } from '../../bus/base/files.ts';

/**
 * Pictures beside events: `<storage>/snapshots/<YYYY>-<MM>-<DD>/<event id>.jpeg`.
 *
 * The id of an event with a picture begins with its time, so that the picture is found without an index, and the
 * names of pictures are in the order of their events.
 */

const form = /^(\d{4})(\d\d)(\d\d)T\d{9}-[0-9a-f]{12}$/;
const dayMs = 24 * 60 * 60 * 1000;
/** As long as the bus keeps the events. */
const keptDays = 30;
/** Of 640 pixels' width they take 2 GB at most. */
const keptPictures = 20_000;

/** An id for an event with a picture. @param time Unix time in milliseconds. */
export function snapshotEventID(time: number): string {
  const digits = new Date(time).toISOString().replace(/[-:.Z]/g, '');
  return `${digits}-${randomBytes(6).toString('hex')}`;
}

/** Keeps a picture, in place of an earlier one of the same event. */
export async function writeSnapshot(storageDir: string, eventID: string, jpeg: Uint8Array): Promise<void> {
  const path = pathOf(storageDir, eventID);
  if (path) await writeAtomically(path, jpeg);
}

/** @returns undefined when this event has no picture. */
export async function readSnapshot(storageDir: string, eventID: string): Promise<Uint8Array | undefined> {
  const path = pathOf(storageDir, eventID);
  return path ? readFile(path).catch(() => undefined) : undefined;
}

/**
 * Removes the pictures of events that are older than thirty days, and the oldest of those that are too many.
 *
 * @param now Unix time in milliseconds.
 * @param most how many stay.
 */
export async function pruneSnapshots(storageDir: string, now: number, most = keptPictures): Promise<void> {
  const folder = join(storageDir, 'snapshots');
  const oldest = new Date(now - keptDays * dayMs).toISOString().slice(0, 10);
  const days = (await readdir(folder).catch(() => [])).filter((name) => /^\d{4}-\d\d-\d\d$/.test(name));
  let room = most;
  // The newest have the first claim on what room there is.
  for (const name of days.sort().reverse()) {
    const path = join(folder, name);
    const pictures = await readdir(path);
    if (name < oldest || room === 0) await rm(path, { recursive: true, force: true });
    else {
      for (const picture of pictures.sort().slice(0, -room)) await rm(join(path, picture), { force: true });
      room = Math.max(0, room - pictures.length);
    }
  }
}

/** An id comes from a client: whatever is not one of ours becomes no part of a path. */
function pathOf(storageDir: string, eventID: string): string | undefined {
  const [, year, month, date] = form.exec(eventID) ?? [];
  return year && join(storageDir, 'snapshots', `${year}-${month}-${date}`, `${eventID}.jpeg`);
}

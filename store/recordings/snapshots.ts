import { randomBytes } from 'node:crypto';
import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { writeAtomically } from '../../bus/base/files.ts';
import { lastAgeTime } from '../base/age-clock.ts';

/**
 * Snapshots of events: `<storage>/snapshots/<YYYY>-<MM>-<DD>/<event id>.jpeg`.
 *
 * The id of an event with a snapshot begins with its time, so that the snapshot is found without an index, and file names
 * are in the order of the events.
 */

/** The time in an event's id is that of its publication; the event's own is that of its frame. In microseconds. */
const maxDelayUs = 300_000_000;
const clockSlackUs = 60_000_000;
const form = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)(\d{3})-[0-9a-f]{12}$/;
const dayMs = 24 * 60 * 60 * 1000;
/** As long as the bus keeps events. */
const keptDays = 30;
/** At a width of 640 pixels they take at most 2 GB. */
const keptPictures = 20_000;

/** An id for an event with a snapshot. @param time Unix time in milliseconds. */
export function snapshotEventID(time: number): string {
  const digits = new Date(time).toISOString().replace(/[-:.Z]/g, '');
  return `${digits}-${randomBytes(6).toString('hex')}`;
}

/** When an event with a snapshot was published: Unix time in milliseconds; NaN if this is no id of such an event. */
function eventTimeMs(eventID: string): number {
  const [, year, month, date, hour, minute, second, ms] = form.exec(eventID) ?? [];
  return Date.parse(`${year}-${month}-${date}T${hour}:${minute}:${second}.${ms}Z`);
}

/** The time of an event with a snapshot lies between these; Unix times in microseconds. undefined if this is no id of one. */
export function eventSpan(eventID: string): { readonly start: number; readonly end: number } | undefined {
  const timeUs = eventTimeMs(eventID) * 1000;
  return Number.isNaN(timeUs) ? undefined : { start: timeUs - maxDelayUs, end: timeUs + clockSlackUs };
}

/** Writes a snapshot, replacing an earlier one of the same event. */
export async function writeSnapshot(storageDir: string, eventID: string, jpeg: Uint8Array): Promise<void> {
  const path = pathOf(storageDir, eventID);
  if (path) await writeAtomically(path, jpeg);
}

/** @returns undefined if this event has no snapshot. */
export async function readSnapshot(storageDir: string, eventID: string): Promise<Uint8Array | undefined> {
  const path = pathOf(storageDir, eventID);
  return path ? readFile(path).catch(() => undefined) : undefined;
}

/**
 * Removes snapshots of events older than thirty days, and the oldest ones past the maximum number.
 *
 * @param now Unix time in milliseconds.
 * @param most the maximum number that is kept.
 */
export async function pruneSnapshots(storageDir: string, now: number, most = keptPictures): Promise<void> {
  const folder = join(storageDir, 'snapshots');
  const ageMs = await lastAgeTime(storageDir, now);
  const oldest = new Date(ageMs - keptDays * dayMs).toISOString().slice(0, 10);
  const days = (await readdir(folder).catch(() => [])).filter((name) => /^\d{4}-\d\d-\d\d$/.test(name));
  let room = most;
  // The newest are kept first.
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

/** Removes the snapshots of these events, where there are any. @throws errors of the file system. */
export async function removeSnapshots(storageDir: string, eventIDs: readonly string[]): Promise<void> {
  for (const eventID of eventIDs) {
    const path = pathOf(storageDir, eventID);
    if (path) await rm(path, { force: true });
  }
}

/** Validates an id from a client: only an id of our own form may become part of a path. */
function pathOf(storageDir: string, eventID: string): string | undefined {
  const [, year, month, date] = form.exec(eventID) ?? [];
  return year && join(storageDir, 'snapshots', `${year}-${month}-${date}`, `${eventID}.jpeg`);
}

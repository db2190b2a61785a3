import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { parseRecordingID } from '../../../bus/recording-id.ts';

/** The ids of the recordings in a folder, in their order; of a day at a time, because an archive may hold 200,000. */
export async function* listArchive(recordingsDir: string): AsyncGenerator<string> {
  for await (const ids of listDays(recordingsDir, false)) yield* ids.map(({ id }) => id);
}

/** The ids of the recordings that have no index beside them, the newest first. */
export async function* listUnindexed(recordingsDir: string): AsyncGenerator<string> {
  for await (const ids of listDays(recordingsDir, true))
    yield* ids.flatMap(({ id, isIndexed }) => (isIndexed ? [] : [id])).reverse();
}

interface ListedFile {
  readonly id: string;
  readonly isIndexed: boolean;
}

async function* listDays(recordingsDir: string, newestFirst: boolean): AsyncGenerator<ListedFile[]> {
  const inOrder = (names: string[]) => (newestFirst ? names.reverse() : names);
  for (const year of inOrder(await namesIn(recordingsDir, /^\d{4}$/))) {
    for (const month of inOrder(await namesIn(join(recordingsDir, year), /^\d\d$/))) {
      for (const day of inOrder(await namesIn(join(recordingsDir, year, month), /^\d\d$/)))
        yield await listDay(recordingsDir, [year, month, day]);
    }
  }
}

/** In the order of their ids. */
async function listDay(recordingsDir: string, date: readonly string[]): Promise<ListedFile[]> {
  const folder = join(recordingsDir, ...date);
  const found: ListedFile[] = [];
  for (const monitorID of await namesIn(folder, /^[A-Za-z0-9]+$/)) {
    const names = new Set(await namesIn(join(folder, monitorID), /\.(mp4|idx)$/));
    for (const file of names) {
      if (!file.endsWith('.mp4')) continue;
      const id = file.slice(0, -'.mp4'.length);
      // Files in other places are found by no id.
      const isHere = id.startsWith(`${date.join('-')}_`) && parseRecordingID(id)?.monitorID === monitorID;
      if (isHere) found.push({ id, isIndexed: names.has(`${id}.idx`) });
    }
  }
  return found.sort((a, b) => (a.id < b.id ? -1 : 1));
}

async function namesIn(folder: string, pattern: RegExp): Promise<string[]> {
  try {
    return (await readdir(folder)).filter((name) => pattern.test(name)).sort();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // The retention removes empty folders meanwhile.
    if (code === 'ENOENT' || code === 'ENOTDIR') return [];
    throw error;
  }
}

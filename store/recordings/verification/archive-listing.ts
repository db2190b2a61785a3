import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { parseRecordingID } from '../../../bus/recording-id.ts';

/** The ids of the recordings in a folder, in their order; of a day at a time, because an archive may hold 200,000. */
export async function* listArchive(recordingsDir: string): AsyncGenerator<string> {
  for (const year of await namesIn(recordingsDir, /^\d{4}$/)) {
    for (const month of await namesIn(join(recordingsDir, year), /^\d\d$/)) {
      for (const day of await namesIn(join(recordingsDir, year, month), /^\d\d$/))
        yield* await listDay(recordingsDir, [year, month, day]);
    }
  }
}

async function listDay(recordingsDir: string, date: readonly string[]): Promise<string[]> {
  const folder = join(recordingsDir, ...date);
  const found: string[] = [];
  for (const monitorID of await namesIn(folder, /^[A-Za-z0-9]+$/)) {
    for (const file of await namesIn(join(folder, monitorID), /\.mp4$/)) {
      const id = file.slice(0, -'.mp4'.length);
      // Files in other places are found by no id.
      const isHere = id.startsWith(`${date.join('-')}_`) && parseRecordingID(id)?.monitorID === monitorID;
      if (isHere) found.push(id);
    }
  }
  return found.sort();
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

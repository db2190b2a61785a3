import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';

/** What a recorder has put on the disk, seen from outside: with ffprobe. */

const run = promisify(execFile);

/** The recordings below a folder, oldest first. */
export async function recordingsIn(folder: string): Promise<string[]> {
  if (!existsSync(folder)) return [];
  const files = await readdir(folder, { recursive: true });
  const recordings = files.filter((file) => file.endsWith('.mp4')).map((file) => join(folder, file));
  return recordings.sort((a, b) => basename(a).localeCompare(basename(b)));
}

/** The second in which a recording begins, by its name; Unix time in milliseconds. */
export function nameTime(file: string): number {
  const [, day = '', hour, minute, second] = /^([\d-]{10})_(\d\d)-(\d\d)-(\d\d)/.exec(basename(file)) ?? [];
  return Date.parse(`${day}T${hour}:${minute}:${second}Z`);
}

export interface Probe {
  /** What ffprobe complained of; empty when all is well. */
  readonly complaints: string;
  readonly frames: number;
  /** Seconds from the first frame's time to the last one's. */
  readonly duration: number;
}

/** Reads the whole video. */
export async function probe(file: string): Promise<Probe> {
  const entries = ['-select_streams', 'v', '-show_entries', 'packet=pts_time', '-of', 'csv=p=0'];
  const { stdout, stderr } = await run('ffprobe', ['-v', 'error', ...entries, file], {
    maxBuffer: 64 * 1024 * 1024,
  });
  const times = stdout.split('\n').filter(Boolean).map(Number.parseFloat);
  return { complaints: stderr, frames: times.length, duration: (times.at(-1) ?? 0) - (times[0] ?? 0) };
}

import { stat, truncate } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LogEntry } from '../../bus/messages.ts';
import { freeze, leaveFree, makeReadOnly } from './disk.ts';
import type { Recorder } from './recorder.ts';
import { recordingsIn } from './recordings.ts';
import { waitFor } from './wait.ts';

export type DiskTrouble = 'full' | 'read-only' | 'slow';

export interface TroubleOutcome {
  /** When it began, and when both monitors recorded again: Unix times in milliseconds. */
  readonly beganMs: number;
  readonly endedMs: number;
  /** From the recovery of the disk to a recording of each monitor. */
  readonly recoveryMs: number;
  /** What was logged as a warning or an error meanwhile, with its number; digits are left out. */
  readonly logged: ReadonlyMap<string, number>;
}

/**
 * Makes the disk of a recorder of the monitors `one` and `two` full, read-only, or slow (it stops for three seconds, four
 * times), and waits until both record again.
 *
 * @param lastsMs how long, unless it is slow
 */
export async function troubleDisk(
  recorder: Recorder,
  disk: string,
  trouble: DiskTrouble,
  lastsMs: number,
): Promise<TroubleOutcome> {
  const beganMs = Date.now();
  if (trouble === 'slow') {
    for (let times = 0; times < 4; times += 1) {
      await freeze(disk, 3000);
      await sleep(1500);
    }
  } else if (trouble === 'full') {
    const filler = join(disk, 'filler');
    // The recorder takes the last blocks meanwhile.
    await leaveFree(filler, 0).catch(onlyFull);
    await sleep(lastsMs);
    await truncate(filler, 0);
  } else {
    const end = makeReadOnly(recorder.recordings);
    await sleep(lastsMs);
    end();
  }
  const healthyMs = Date.now();
  for (const id of ['one', 'two']) {
    await waitFor(() => wasWritten(recorder, id, healthyMs), 60_000, `a recording of ${id} after ${trouble}`);
  }
  const endedMs = Date.now();
  const entriesNow = async () => {
    const entries = await recorder.get<LogEntry[]>('/api/log/query?levels=error,warning&limit=1000');
    return entries.filter(({ time }) => time >= beganMs * 1000);
  };
  // On a full disk the bus stops storing entries, too; they wait until it is restarted.
  const isTold = (entries: readonly LogEntry[]) =>
    entries.filter(({ msg }) => msg.startsWith('recording again')).length >= (trouble === 'slow' ? 0 : 2);
  const entries = await waitFor(
    async () => {
      const found = await entriesNow();
      return isTold(found) && found;
    },
    60_000,
    'the log',
  );
  const logged = new Map<string, number>();
  for (const { level, monitorID, msg } of entries) {
    const text = `${level} ${monitorID}: ${msg.replaceAll(/\d+(\.\d+)?/g, '#')}`;
    logged.set(text, (logged.get(text) ?? 0) + 1);
  }
  return { beganMs, endedMs, recoveryMs: endedMs - healthyMs, logged };
}

function onlyFull(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOSPC') throw error;
}

/** Whether there is a recording of this monitor that was written to a second after this. */
async function wasWritten({ recordings }: Recorder, id: string, afterMs: number): Promise<boolean> {
  const last = (await recordingsIn(recordings))
    .filter((file) => basename(file).endsWith(`_${id}.mp4`))
    .at(-1);
  return last !== undefined && (await stat(last)).mtimeMs > afterMs + 1000;
}

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeAtomically } from '../../bus/base/files.ts';

const fileName = 'age-clock';
/** How much faster than time it goes while it is behind the machine's clock. */
const catchUp = 2;
/** The machine's clock is believed after it has been doubted for so long, in milliseconds in which the recorder ran. */
const maxDoubtMs = 7 * 24 * 60 * 60 * 1000;

/** Milliseconds. */
interface AgeTime {
  /** Unix time. */
  readonly timeMs: number;
  /** For how long the recorder has run while this was behind the machine's clock. */
  readonly doubtedMs: number;
}

/**
 * The time by which things are too old to be kept. A clock that is years ahead for an hour must not delete everything: where
 * the machine's clock is ahead of the time in which the recorder ran, this one follows it at twice the speed of time, and
 * believes it after a week. So it is after the recorder was off for some days, too: what is too old then goes a few days later.
 *
 * It is kept in the storage folder, so that a restart changes nothing.
 */
export class AgeClock {
  readonly #file: string;
  readonly #monotonicMs: () => number;
  #known: AgeTime | undefined;
  #askedMs: number;

  constructor(storageDir: string, monotonicMs = () => performance.now()) {
    this.#file = join(storageDir, fileName);
    this.#monotonicMs = monotonicMs;
    this.#askedMs = monotonicMs();
  }

  /** @param wallMs the machine's clock. @returns Unix time in milliseconds, never ahead of it. */
  async at(wallMs: number): Promise<number> {
    const nowMs = this.#monotonicMs();
    const elapsedMs = Math.floor(nowMs - this.#askedMs);
    this.#askedMs += elapsedMs;
    const known = this.#known ?? (await read(this.#file)) ?? { timeMs: wallMs, doubtedMs: 0 };
    this.#known = advanced(known, wallMs, elapsedMs);
    // On a full disk, the next one does it.
    await writeAtomically(this.#file, `${this.#known.timeMs} ${this.#known.doubtedMs}\n`).catch(() => {});
    return Math.min(wallMs, this.#known.timeMs);
  }
}

/** The same for those who do not keep it: as it was last written. */
export async function lastAgeTime(storageDir: string, wallMs: number): Promise<number> {
  const known = await read(join(storageDir, fileName));
  return Math.min(wallMs, known?.timeMs ?? wallMs);
}

function advanced({ timeMs, doubtedMs }: AgeTime, wallMs: number, elapsedMs: number): AgeTime {
  // While the machine's clock is behind, nothing becomes older.
  if (wallMs <= timeMs) return { timeMs, doubtedMs: 0 };
  const next = timeMs + catchUp * elapsedMs;
  const doubted = doubtedMs + elapsedMs;
  return next >= wallMs || doubted >= maxDoubtMs
    ? { timeMs: wallMs, doubtedMs: 0 }
    : { timeMs: next, doubtedMs: doubted };
}

/** @returns undefined if there is none, or a damaged one. */
async function read(file: string): Promise<AgeTime | undefined> {
  const text = await readFile(file, 'utf8').catch(() => '');
  const [, timeMs, doubtedMs] = /^(\d+) (\d+)\n$/.exec(text) ?? [];
  return timeMs === undefined ? undefined : { timeMs: Number(timeMs), doubtedMs: Number(doubtedMs) };
}

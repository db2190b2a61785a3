import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeAtomically } from '../../../bus/base/files.ts';
import type { MachineStart } from '../../../bus/base/machine-clock.ts';
import { nowUs } from '../../../bus/base/time.ts';
import { minStepUs } from './clock-correction.ts';

const fileName = 'clock-history';

/** Unix times in microseconds. */
interface KnownClock {
  /** When the machine was started, by its clock as it was last. */
  readonly startedUs: number;
  /** The same by the clock when it was furthest ahead. */
  readonly furthestUs: number;
  /** See `ClockCorrection`. */
  readonly provenUs: number;
  readonly wasSet: boolean;
}

/**
 * How this machine's clock was set since the machine was started. It is kept in the storage folder: a recorder that is killed
 * just after the clock was set ahead has corrected nothing yet, and the next one would not know that it had been behind.
 */
export class ClockHistory {
  readonly #file: string;
  readonly #boot: string;
  #known: KnownClock;

  private constructor(file: string, boot: string, known: KnownClock) {
    this.#file = file;
    this.#boot = boot;
    this.#known = known;
  }

  /** @param start by the clock as it is now. */
  static async open(storageDir: string, { startedUs, boot }: MachineStart): Promise<ClockHistory> {
    const file = join(storageDir, fileName);
    const first = { startedUs, furthestUs: startedUs, provenUs: 0, wasSet: false };
    const known = (await read(file, boot)) ?? first;
    const isSame = Math.abs(startedUs - known.startedUs) <= minStepUs;
    const history = new ClockHistory(file, boot, isSame ? { ...known, startedUs } : known);
    await history.save();
    return history;
  }

  /** By the clock as it was noted last. */
  get start(): MachineStart {
    return { startedUs: this.#known.startedUs, boot: this.#boot };
  }

  /** Unix time in microseconds: the clock had been right until then, at least; 0 if that is not known. */
  get provenUs(): number {
    return this.#known.provenUs;
  }

  /** Whether recordings since the start of the machine may have the times of another clock. */
  get wasSet(): boolean {
    return this.#known.wasSet;
  }

  /** @returns whether the clock was set since the last time. */
  note({ startedUs }: MachineStart): boolean {
    const { startedUs: before, furthestUs } = this.#known;
    if (Math.abs(startedUs - before) <= minStepUs) return false;
    // Set back, and ahead to where it had been: the time between was wrong.
    const isBack = startedUs > before && startedUs <= furthestUs + minStepUs;
    this.#known = {
      ...{ startedUs, furthestUs: Math.max(furthestUs, startedUs) },
      ...{ provenUs: isBack ? nowUs() : 0, wasSet: true },
    };
    return true;
  }

  /** On a full disk, the next one does it. */
  async save(): Promise<void> {
    const { startedUs, furthestUs, provenUs, wasSet } = this.#known;
    const text = [this.#boot, startedUs, furthestUs, provenUs, Number(wasSet)].join(' ');
    await writeAtomically(this.#file, `${text}\n`).catch(() => {});
  }
}

/** @returns undefined if there is none of this start of the machine, or a damaged one. */
async function read(file: string, boot: string): Promise<KnownClock | undefined> {
  const text = await readFile(file, 'utf8').catch(() => '');
  const [, of, started, furthest, proven, wasSet] =
    /^([0-9a-f]{32}) (-?\d+) (-?\d+) (\d+) ([01])\n$/.exec(text) ?? [];
  if (of === undefined || of !== boot) return undefined;
  return {
    ...{ startedUs: Number(started), furthestUs: Number(furthest), provenUs: Number(proven) },
    wasSet: wasSet === '1',
  };
}

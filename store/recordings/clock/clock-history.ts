import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeAtomically } from '../../../bus/base/files.ts';
import type { MachineStart } from '../../../bus/base/machine-clock.ts';
import { nowUs } from '../../../bus/base/time.ts';
import { minStepUs } from './clock-correction.ts';

const fileName = 'clock-history';
/** A clock that is set again and again is set to few times, and back. */
const maxFormer = 15;
/** A clock that was held for so long, in microseconds, was no slip. */
const firmUs = 600_000_000;

/** What this machine's clock was set to. Unix times in microseconds. */
interface KnownClock {
  /** When the machine was started, by this clock. */
  readonly startedUs: number;
  /** For how long it was so set, without the time since it was set last. */
  readonly heldUs: number;
  /** See `ClockCorrection`. */
  readonly provenUs: number;
}

interface KnownClocks {
  /** Those of before, in the order in which they were given up. */
  readonly former: readonly KnownClock[];
  readonly current: KnownClock;
  /** Since when the current one holds, by itself. */
  readonly sinceUs: number;
}

/**
 * How this machine's clock was set since the machine was started. It is kept in the storage folder: a recorder that is killed
 * just after the clock was set ahead has corrected nothing yet, and the next one would not know that it had been behind.
 */
export class ClockHistory {
  readonly #file: string;
  readonly #boot: string;
  #known: KnownClocks;

  private constructor(file: string, boot: string, known: KnownClocks) {
    this.#file = file;
    this.#boot = boot;
    this.#known = known;
  }

  /** @param start by the clock as it is now. */
  static async open(storageDir: string, { startedUs, boot }: MachineStart): Promise<ClockHistory> {
    const file = join(storageDir, fileName);
    const first = { former: [], current: { startedUs, heldUs: 0, provenUs: 0 }, sinceUs: startedUs };
    const known = (await read(file, boot)) ?? first;
    const current = isSame(known.current, startedUs) ? { ...known.current, startedUs } : known.current;
    const history = new ClockHistory(file, boot, { ...known, current });
    await history.save();
    return history;
  }

  /** By the clock as it was noted last. */
  get start(): MachineStart {
    return { startedUs: this.#known.current.startedUs, boot: this.#boot };
  }

  /** Unix time in microseconds: the clock had been right until then, at least; 0 if that is not known. */
  get provenUs(): number {
    return this.#known.current.provenUs;
  }

  /** Whether recordings since the start of the machine may have the times of another clock. */
  get wasSet(): boolean {
    return this.#known.former.length > 0;
  }

  /** Whether the clock is what it was for most of the time, or was not set again for so long, in microseconds. */
  isSteady(steadyUs: number): boolean {
    const { former, current, sinceUs } = this.#known;
    const heldUs = nowUs() - sinceUs;
    return heldUs >= steadyUs || former.every((clock) => clock.heldUs <= current.heldUs + heldUs);
  }

  /** @returns whether the clock was set since the last time. */
  note({ startedUs }: MachineStart): boolean {
    const { former, current, sinceUs } = this.#known;
    if (isSame(current, startedUs)) return false;
    const now = nowUs();
    const leftUs = now - (startedUs - current.startedUs);
    const heldUs = current.heldUs + Math.max(0, leftUs - sinceUs);
    const before = [...former, { ...current, heldUs }];
    // Not by a slip.
    const wasThere = before.some(
      (clock, at) =>
        clock.startedUs >= startedUs - minStepUs &&
        (clock.heldUs >= firmUs || before.slice(at + 1).every((between) => between.heldUs <= clock.heldUs)),
    );
    // Set back for a while, and ahead to where it had been: the time between was wrong.
    const isBack = startedUs > current.startedUs && wasThere;
    const known = before.find((clock) => isSame(clock, startedUs)) ?? { heldUs: 0, provenUs: 0 };
    this.#known = {
      former: before.filter((clock) => clock !== known).slice(-maxFormer),
      current: { startedUs, heldUs: known.heldUs, provenUs: isBack ? now : known.provenUs },
      sinceUs: now,
    };
    return true;
  }

  /** On a full disk, the next one does it. */
  async save(): Promise<void> {
    const { former, current, sinceUs } = this.#known;
    const lines = [
      `${this.#boot} ${sinceUs}`,
      ...[...former, current].map(({ startedUs, heldUs, provenUs }) =>
        [startedUs, heldUs, provenUs].join(' '),
      ),
    ];
    await writeAtomically(this.#file, `${lines.join('\n')}\n`).catch(() => {});
  }
}

const isSame = (clock: KnownClock, startedUs: number) => Math.abs(clock.startedUs - startedUs) <= minStepUs;

/** @returns undefined if there is none of this start of the machine, or a damaged one. */
async function read(file: string, boot: string): Promise<KnownClocks | undefined> {
  const text = await readFile(file, 'utf8').catch(() => '');
  const [, of, since, lines = ''] = /^([0-9a-f]{32}) (-?\d+)\n((?:-?\d+ \d+ \d+\n)+)$/.exec(text) ?? [];
  const former = [...lines.matchAll(/^(.+) (.+) (.+)$/gm)].map(([, startedUs, heldUs, provenUs]) => ({
    ...{ startedUs: Number(startedUs), heldUs: Number(heldUs), provenUs: Number(provenUs) },
  }));
  const current = former.pop();
  return of === boot && current ? { former, current, sinceUs: Number(since) } : undefined;
}

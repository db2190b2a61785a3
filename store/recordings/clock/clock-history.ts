import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeAtomically } from '../../../bus/base/files.ts';
import type { MachineStart } from '../../../bus/base/machine-clock.ts';
import { nowUs } from '../../../bus/base/time.ts';
import { minStepUs } from './clock-correction.ts';

const fileName = 'clock-history';
/** A clock that is set again and again is set to few times, and back. */
const maxClocks = 16;
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
  /** By when they were given up, the one of now last. */
  readonly clocks: readonly KnownClock[];
  /** Since when the last one holds, by itself. */
  readonly sinceUs: number;
}

/**
 * How this machine's clock was set since the machine was started. It is kept in the storage folder: a recorder that is killed
 * just after the clock was set ahead has corrected nothing yet, and the next one would not know that it had been behind.
 */
export class ClockHistory {
  readonly #file: string;
  readonly #boot: string;
  #clocks: readonly KnownClock[];
  #sinceUs: number;

  private constructor(file: string, boot: string, { clocks, sinceUs }: KnownClocks) {
    this.#file = file;
    this.#boot = boot;
    this.#clocks = clocks;
    this.#sinceUs = sinceUs;
  }

  /** @param start by the clock as it is now. */
  static async open(storageDir: string, { startedUs, boot }: MachineStart): Promise<ClockHistory> {
    const file = join(storageDir, fileName);
    const clock = { startedUs, heldUs: 0, provenUs: 0 };
    const known = (await read(file, boot)) ?? { clocks: [clock], sinceUs: startedUs };
    const last = known.clocks.at(-1) ?? clock;
    const isSame = Math.abs(startedUs - last.startedUs) <= minStepUs;
    const clocks = isSame ? [...known.clocks.slice(0, -1), { ...last, startedUs }] : known.clocks;
    const history = new ClockHistory(file, boot, { ...known, clocks });
    await history.save();
    return history;
  }

  /** By the clock as it was noted last. */
  get start(): MachineStart {
    return { startedUs: this.#last.startedUs, boot: this.#boot };
  }

  /** Unix time in microseconds: the clock had been right until then, at least; 0 if that is not known. */
  get provenUs(): number {
    return this.#last.provenUs;
  }

  /** Whether recordings since the start of the machine may have the times of another clock. */
  get wasSet(): boolean {
    return this.#clocks.length > 1;
  }

  /** Whether the clock is what it was for most of the time, or was not set again for so long, in microseconds. */
  isSteady(steadyUs: number): boolean {
    const heldUs = nowUs() - this.#sinceUs;
    const wholeUs = this.#last.heldUs + heldUs;
    return heldUs >= steadyUs || this.#clocks.slice(0, -1).every((clock) => clock.heldUs <= wholeUs);
  }

  /** @returns whether the clock was set since the last time. */
  note({ startedUs }: MachineStart): boolean {
    const last = this.#last;
    if (Math.abs(startedUs - last.startedUs) <= minStepUs) return false;
    const now = nowUs();
    const leftUs = now - (startedUs - last.startedUs);
    const heldUs = last.heldUs + Math.max(0, leftUs - this.#sinceUs);
    const clocks = [...this.#clocks.slice(0, -1), { ...last, heldUs }];
    // Set back for a while, and ahead to where it had been before, not just by a slip: the time between was wrong.
    const isBack = clocks.some(
      (clock, at) =>
        clock.startedUs >= startedUs - minStepUs &&
        startedUs > last.startedUs &&
        (clock.heldUs >= firmUs || clocks.slice(at + 1).every((between) => between.heldUs <= clock.heldUs)),
    );
    const known = clocks.find((clock) => Math.abs(clock.startedUs - startedUs) <= minStepUs);
    const { provenUs } = known ?? { provenUs: 0 };
    const next = { startedUs, heldUs: known?.heldUs ?? 0, provenUs: isBack ? now : provenUs };
    this.#clocks = [...clocks.filter((clock) => clock !== known), next].slice(-maxClocks);
    this.#sinceUs = now;
    return true;
  }

  /** On a full disk, the next one does it. */
  async save(): Promise<void> {
    const lines = [
      `${this.#boot} ${this.#sinceUs}`,
      ...this.#clocks.map(({ startedUs, heldUs, provenUs }) => [startedUs, heldUs, provenUs].join(' ')),
    ];
    await writeAtomically(this.#file, `${lines.join('\n')}\n`).catch(() => {});
  }

  get #last(): KnownClock {
    const last = this.#clocks.at(-1);
    if (!last) throw new Error('a machine has a clock');
    return last;
  }
}

/** @returns undefined if there is none of this start of the machine, or a damaged one. */
async function read(file: string, boot: string): Promise<KnownClocks | undefined> {
  const text = await readFile(file, 'utf8').catch(() => '');
  const [, of, since, lines] = /^([0-9a-f]{32}) (-?\d+)\n((?:-?\d+ \d+ \d+\n)+)$/.exec(text) ?? [];
  if (of !== boot || lines === undefined) return undefined;
  const clocks = lines
    .trimEnd()
    .split('\n')
    .map((line) => {
      const [startedUs = 0, heldUs = 0, provenUs = 0] = line.split(' ').map(Number);
      return { startedUs, heldUs, provenUs };
    });
  return { clocks: clocks.slice(-maxClocks), sinceUs: Number(since) };
}

import { readFileSync } from 'node:fs';
import { nowUs } from './time.ts';

/** Both clocks of this machine at one moment, in microseconds. */
export interface ClockReading {
  /** Unix time: may be set at any moment. */
  readonly wallUs: number;
  /** Never set, and as fast as the other one is made to run. */
  readonly monotonicUs: number;
}

/** Between two starts of this machine, its monotonic clock goes on; by this, processes recognise the start. */
export interface MachineStart {
  /** Unix time of the start, by the clock as it is set now: microseconds. */
  readonly startedUs: number;
  /** A mark of 32 hexadecimal digits that is another one after each start; empty if the kernel has none. */
  readonly boot: string;
}

const boot = readBoot();
/** `performance.now()` counts from the start of the process or the thread, `hrtime` from the start of the machine. */
const processStartUs = sinceMachineStartUs() - performance.now() * 1000;

/** How long ago this machine was started, in microseconds. */
export function sinceMachineStartUs(): number {
  return Number(process.hrtime.bigint()) / 1000;
}

/** A clock that is off by less is corrected gradually. */
const minStepUs = 500_000;
/** Reading two clocks one after the other is not exact, on a busy machine least of all. */
const minDeviationUs = 20_000;
const maxReadingMs = 2;
const maxReadings = 5;

/** The wall clock of this machine, beside the monotonic one: tells when it is set. */
export class MachineClock {
  readonly #read: () => ClockReading;
  #offsetUs: number;
  #deviationUs = 0;

  constructor(read: () => ClockReading = readClocks) {
    this.#read = read;
    this.#offsetUs = offsetOf(read());
  }

  /** Unix time minus the monotonic clock, in microseconds. It changes only when the clock is set, and is looked at. */
  get offsetUs(): number {
    return this.#offsetUs;
  }

  /** The same as a start of this machine: recordings that say it can be brought in line with a clock that is set later. */
  get start(): MachineStart {
    return { startedUs: Math.round(this.#offsetUs - processStartUs), boot };
  }

  /** By how much Unix time has come to differ from what `offsetUs` says: less than a step, in microseconds. */
  get deviationUs(): number {
    return this.#deviationUs;
  }

  /** @returns by how much it was set ahead since the last time, or back if negative, in microseconds; 0 if it was not. */
  look(): number {
    const offset = offsetOf(this.#read());
    const difference = offset - this.#offsetUs;
    if (Math.abs(difference) < minStepUs) {
      this.#deviationUs = Math.abs(difference) < minDeviationUs ? 0 : difference;
      return 0;
    }
    this.#offsetUs = offset;
    this.#deviationUs = 0;
    return difference;
  }
}

const offsetOf = ({ wallUs, monotonicUs }: ClockReading): number => Math.round(wallUs - monotonicUs);

function readClocks(): ClockReading {
  for (let reading = 1; ; reading += 1) {
    const beforeMs = performance.now();
    const wallUs = nowUs();
    const afterMs = performance.now();
    // The process was interrupted between the two.
    if (afterMs - beforeMs > maxReadingMs && reading < maxReadings) continue;
    return { wallUs, monotonicUs: ((beforeMs + afterMs) / 2) * 1000 };
  }
}

function readBoot(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim().replaceAll('-', '');
  } catch {
    return '';
  }
}

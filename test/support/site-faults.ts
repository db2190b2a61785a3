import { setTimeout as pause } from 'node:timers/promises';
import type { ClockedBuild } from './build-with-clock.ts';
import type { ClusterRecorder } from './cluster.ts';
import type { Lab, Switch } from './lab.ts';
import { commandLine, descendants } from './processes.ts';
import type { Standstill } from './site-checker.ts';

/** Ends a fault; awaited until what it has stopped is there again. */
type Heal = () => Promise<void>;

/** Recordings of a clock that was set by more than ten seconds get other times; set back by less, it is followed gradually. */
const [longStepMs, shortStepMs] = [15_000, 5000];

/** How long a fault lasts, and the calm after it, in milliseconds: the next one may come while machines still recover. */
const [leastMs, moreMs, calmMs] = [3000, 5000, 4000];

/** What can happen to a machine of a lab. */
export class SiteFaults {
  readonly #lab: Lab;
  /** By number; a machine that was killed is replaced by its next start. */
  readonly #machines: ClusterRecorder[];
  readonly #clocks: readonly Pick<ClockedBuild, 'set'>[];

  /** @param clocks of the machines, by number. */
  constructor(lab: Lab, machines: ClusterRecorder[], clocks: readonly Pick<ClockedBuild, 'set'>[]) {
    this.#lab = lab;
    this.#machines = machines;
    this.#clocks = clocks;
  }

  readonly #standstills: Standstill[] = [];
  readonly #happened: { readonly at: number; readonly kind: string; readonly what: string }[] = [];

  /** @param random numbers in [0, 1). Each fault begins when the one before is over. */
  async play(rounds: number, random: () => number): Promise<void> {
    const kinds = Object.entries(this.#kinds);
    for (let round = 1; round <= rounds; round += 1) {
      const [kind = '', begin] = kinds[Math.floor(random() * kinds.length)] ?? [];
      const count = this.#machines.length;
      const index = Math.floor(random() * count);
      const other = (index + 1 + Math.floor(random() * (count - 1))) % count;
      this.#happened.push({ at: Date.now(), kind, what: `${round}: ${kind}, machine ${index + 1}` });
      const heal = await begin?.(index, other);
      await pause(leastMs + random() * moreMs);
      await heal?.();
      await pause(random() * calmMs);
    }
  }

  /** When machines stood still. */
  get standstills(): readonly Standstill[] {
    return this.#standstills;
  }

  /** How long after which fault a moment was. @param at Unix time in milliseconds. */
  describe(at: number): string {
    const fault = this.#lastAt(at);
    return fault ? `${((at - fault.at) / 1000).toFixed(1)} s after ${fault.what}` : 'before all faults';
  }

  /** The kind of fault that was the last one at a moment. @param at Unix time in milliseconds. */
  kindAt(at: number): string {
    return this.#lastAt(at)?.kind ?? 'before all faults';
  }

  /** What is half a second earlier by the machines' clocks may be due to it. */
  #lastAt(at: number) {
    return this.#happened.findLast((each) => each.at <= at + 500);
  }

  /** By name. @param other another machine: a fault between two needs it. */
  readonly #kinds: Readonly<Record<string, (index: number, other: number) => Promise<Heal>>> = {
    'kill -9': async (index) => {
      const { name, recorder } = this.#at(index);
      await recorder.kill();
      return async () => {
        this.#machines[index] = { name, recorder: await recorder.restart() };
      };
    },
    'main stands still': async (index) => this.#freeze(index, [this.#at(index).recorder.pid]),
    'all stands still': async (index) => {
      const { pid } = this.#at(index).recorder;
      return this.#freeze(index, [pid, ...descendants(pid)]);
    },
    'site cable': async (index) => this.#pull(index, ['site']),
    'house cable': async (index) => this.#pull(index, ['house']),
    'all cables': async (index) => this.#pull(index, ['site', 'cameras', 'house']),
    'not heard by one': async (index, other) => {
      this.#lab.mute(index, other);
      return async () => this.#lab.unmute(index, other);
    },
    'servers killed': async (index) => {
      const { pid } = this.#at(index).recorder;
      for (const server of descendants(pid).filter((each) => /nats-server/.test(commandLine(each))))
        process.kill(server, 'SIGKILL');
      return async () => {};
    },
    'clock ahead': async (index) => this.#setClock(index, longStepMs),
    'clock behind': async (index) => this.#setClock(index, -longStepMs),
    'clock a little behind': async (index) => this.#setClock(index, -shortStepMs),
  };

  #at(index: number): ClusterRecorder {
    const machine = this.#machines[index];
    if (!machine) throw new Error(`there is no machine ${index}`);
    return machine;
  }

  #pull(index: number, switches: readonly Switch[]): Heal {
    for (const name of switches) this.#lab.pull(index, name);
    return async () => {
      for (const name of switches) this.#lab.plugIn(index, name);
    };
  }

  async #setClock(index: number, aheadMs: number): Promise<Heal> {
    await this.#clocks[index]?.set(aheadMs);
    return async () => this.#clocks[index]?.set(0);
  }

  #freeze(index: number, pids: readonly number[]): Heal {
    const { name: machine } = this.#at(index);
    const from = Date.now();
    for (const pid of pids) signal(pid, 'SIGSTOP');
    return async () => {
      for (const pid of pids) signal(pid, 'SIGCONT');
      this.#standstills.push({ machine, from, to: Date.now() });
    };
  }
}

/** One that has ended meanwhile needs no signal. */
function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

import type { ClusterRecorder } from './cluster.ts';
import type { Lab } from './lab.ts';
import { commandLine, descendants } from './processes.ts';

/** Ends a fault; awaited until what it has stopped is there again. */
type Heal = () => Promise<void>;

/** What can happen to a machine of a lab, by name. Each begins at once. */
export class SiteFaults {
  readonly #lab: Lab;
  /** By number; a machine that was killed is replaced by its next start. */
  readonly #machines: ClusterRecorder[];

  constructor(lab: Lab, machines: ClusterRecorder[]) {
    this.#lab = lab;
    this.#machines = machines;
  }

  /** @param other another machine: a fault between two needs it. */
  readonly kinds: Readonly<Record<string, (index: number, other: number) => Promise<Heal>>> = {
    'kill -9': async (index) => {
      const { name, recorder } = this.#at(index);
      await recorder.kill();
      return async () => {
        this.#machines[index] = { name, recorder: await recorder.restart() };
      };
    },
    'main stands still': async (index) => this.#freeze([this.#at(index).recorder.pid]),
    'all stands still': async (index) => {
      const { pid } = this.#at(index).recorder;
      return this.#freeze([pid, ...descendants(pid)]);
    },
    'site cable': async (index) => this.#pull(index, ['site']),
    'both cables': async (index) => this.#pull(index, ['site', 'cameras']),
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
  };

  #at(index: number): ClusterRecorder {
    const machine = this.#machines[index];
    if (!machine) throw new Error(`there is no machine ${index}`);
    return machine;
  }

  #pull(index: number, switches: readonly ('site' | 'cameras')[]): Heal {
    for (const name of switches) this.#lab.pull(index, name);
    return async () => {
      for (const name of switches) this.#lab.plugIn(index, name);
    };
  }

  #freeze(pids: readonly number[]): Heal {
    for (const pid of pids) signal(pid, 'SIGSTOP');
    return async () => {
      for (const pid of pids) signal(pid, 'SIGCONT');
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

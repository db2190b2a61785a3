import type { Heartbeat } from '../../../bus/nats/control/control-messages.ts';

export interface QuorumOptions {
  /** The machines whose majority keeps the records. */
  readonly voters: readonly string[];
  /** Whether monitors of silent machines are recorded while less than a majority is heard. */
  readonly withoutQuorum: 'record' | 'wait';
}

/** Whether enough voters are there, or are known to be off. */
export class Quorum {
  readonly #options: QuorumOptions;
  /** Machines that are known to be off, from somebody or from themselves; until they are heard. */
  readonly #off = new Set<string>();

  constructor(options: QuorumOptions) {
    this.#options = options;
  }

  hear({ machine, leaving }: Heartbeat): void {
    // One that says itself that it stops need not be declared off by anybody.
    if (leaving) this.#off.add(machine);
    else this.#off.delete(machine);
  }

  /** Somebody knows that a machine is off: its vote is not waited for any more. */
  declareOff(machine: string): void {
    this.#off.add(machine);
  }

  /** Whether a majority of the voters is there, so that records can change. */
  isThere(alive: readonly Heartbeat[]): boolean {
    return isMajority(this.#options.voters, alive);
  }

  /**
   * The voters that are waited for: while there are any, monitors of silent machines are left alone, because these may be cut
   * off and go on.
   */
  waitedFor(alive: readonly Heartbeat[]): readonly string[] {
    const { voters, withoutQuorum } = this.#options;
    const wanted = voters.filter((voter) => !this.#off.has(voter));
    if (withoutQuorum === 'record' || isMajority(wanted, alive)) return [];
    return wanted.filter((voter) => !alive.some(({ machine }) => machine === voter));
  }
}

function isMajority(voters: readonly string[], alive: readonly Heartbeat[]): boolean {
  return alive.filter(({ machine }) => voters.includes(machine)).length * 2 > voters.length;
}

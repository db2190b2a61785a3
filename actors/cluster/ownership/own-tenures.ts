import { type Tenure, tenureRank } from '../../../bus/messages.ts';
import type { OwnerRecord } from '../../../bus/nats/control/owner-records.ts';

/** How this machine records a monitor. */
export type OwnTenure = Pick<Tenure, 'token' | 'provisional'>;

/** What this machine hears of a monitor that it attends. */
interface HeardAttending {
  /** The owner was not heard to attend it for some time. */
  readonly isOwnerSilent: boolean;
  /** Another machine attends it. */
  readonly isElsewhere: boolean;
  /** A majority is heard: otherwise it is rather this machine that is cut off than the owner. */
  readonly hasQuorum: boolean;
}

/** How this machine records each monitor that it attends: by that all machines decide whose events are shown and published. */
export class OwnTenures {
  readonly #machine: string;
  readonly #tenures = new Map<string, OwnTenure>();

  constructor(machine: string) {
    this.#machine = machine;
  }

  /** The monitors that it attends. */
  get ids(): ReadonlySet<string> {
    return new Set(this.#tenures.keys());
  }

  has(id: string): boolean {
    return this.#tenures.has(id);
  }

  of(id: string): OwnTenure {
    return this.#tenures.get(id) ?? { token: null, provisional: false };
  }

  /** See {@link tenureRank}; 0 of a monitor that is not attended. */
  rankOf(id: string): number {
    return Math.max(0, tenureRank(this.of(id)));
  }

  /** It attends the monitor. @param record its owner, if one is known. */
  note(id: string, record: OwnerRecord | undefined, heard: HeardAttending): void {
    const { owner, next, token = 0 } = record ?? {};
    const known = this.#tenures.get(id);
    if (owner === this.#machine) {
      // Beside the one before, until that has ended: the detectors of this machine have begun by then.
      const isBeside = known?.provisional && known.token === 0 && heard.isElsewhere;
      if (!isBeside) this.#tenures.set(id, { token, provisional: false });
    } else if (next === this.#machine) this.#tenures.set(id, { token: 0, provisional: true });
    // An owner that has handed it over keeps its token while the next one is heard, and so does one that stands in.
    else if (!known || heard.isOwnerSilent)
      this.#tenures.set(id, { token: heard.hasQuorum ? token : 0, provisional: true });
  }

  end(id: string): void {
    this.#tenures.delete(id);
  }
}

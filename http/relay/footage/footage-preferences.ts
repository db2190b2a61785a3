import type { RankedTenure } from '../../../store/log/log-store.ts';
import type { Preference } from './shown-footage.ts';

/** What is known now of the machines that have footage of a monitor. */
export interface FootageMachine {
  readonly machine: string;
  readonly isHeard: boolean;
  readonly isOwner: boolean;
}

/** That of an owner, who has the token; see `tenureRank`. */
const isOwnersRank = (rank: number) => rank > 0 && rank % 2 === 0;

/**
 * Whose footage of a monitor is shown rather than whose: that of whoever had its token at the time, where that is not known that of
 * its owner now; that of a machine that is not heard comes last.
 *
 * @param tenures in the order of time.
 */
export function footagePreferences(
  machines: readonly FootageMachine[],
  tenures: readonly RankedTenure[],
): Preference[] {
  const ranks = new Map<string, number>();
  const rankOf = ({ machine }: FootageMachine) => ranks.get(machine) ?? -1;
  const tokenOf = (one: FootageMachine) => (isOwnersRank(rankOf(one)) ? rankOf(one) : 0);
  const inOrder = (a: FootageMachine, b: FootageMachine) =>
    Number(b.isHeard) - Number(a.isHeard) ||
    tokenOf(b) - tokenOf(a) ||
    rankOf(b) - rankOf(a) ||
    Number(b.isOwner) - Number(a.isOwner) ||
    (a.machine < b.machine ? -1 : 1);
  const preferenceFrom = (start: number): Preference => ({
    start,
    machines: [...machines].sort(inOrder).map(({ machine }) => machine),
  });
  const preferences = [preferenceFrom(0)];
  for (const { machine, time, rank } of tenures) {
    ranks.set(machine, rank);
    const next = preferenceFrom(time);
    if (String(next.machines) !== String(preferences.at(-1)?.machines)) preferences.push(next);
  }
  return preferences;
}

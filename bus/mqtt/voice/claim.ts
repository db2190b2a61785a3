import type { Turn } from './turns.ts';

/** A machine that records a monitor. */
export interface Candidate {
  readonly machine: string;
  readonly rank: number;
  readonly streaming: boolean;
}

/** What a machine that speaks for a monitor has retained at the broker. */
export interface Claim extends Candidate {
  /** The last one is its own, or nobody's until its detectors have begun. */
  readonly turns: readonly Turn[];
}

/** The one that speaks comes first. */
export const byRank = (a: Candidate, b: Candidate): number =>
  Number(b.streaming) - Number(a.streaming) || b.rank - a.rank || (a.machine < b.machine ? -1 : 1);

/** Asked for every monitor at every heartbeat: the same list of turns, which is never changed, is not read. */
export function isSameClaim(one: Claim | undefined, other: Claim | undefined): boolean {
  if (one?.machine !== other?.machine || one?.rank !== other?.rank) return false;
  if (one?.streaming !== other?.streaming) return false;
  return one?.turns === other?.turns || JSON.stringify(one?.turns) === JSON.stringify(other?.turns);
}

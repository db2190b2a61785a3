import { notRunning } from '../schema/schema.ts';
import type { StoredStatus } from './rows.ts';

/** A monitor entered a state, or there is another reason for it. */
export interface StateChange {
  /** Unix time in microseconds; for each monitor it grows, whatever the clock does. */
  readonly time: number;
  readonly monitorID: string;
  readonly state: string;
  readonly reason: string;
}

/**
 * The changes among the statuses that monitors publish.
 *
 * @param before the latest change of each monitor.
 * @returns the changes, and the latest of each monitor behind them; `late` are those of before the latest, which may be known.
 */
export function stateChanges(before: ReadonlyMap<string, StateChange>, statuses: readonly StoredStatus[]) {
  const latest = new Map(before);
  const changes: StateChange[] = [];
  const late: StateChange[] = [];
  for (const { monitorID, state, reason, since, time: toldAt } of statuses) {
    const last = latest.get(monitorID);
    // A recorder says so of the one before it when its own monitors may have begun already.
    if (reason === notRunning && last && last.time >= since) {
      late.push({ time: since, monitorID, state, reason });
      continue;
    }
    // That it records, for example, is no other state.
    if (last?.state === state && last.reason === reason) continue;
    // Another attempt: a camera that is away for days is away once.
    if (last?.state === 'waiting' && state === 'connecting') continue;
    const at = last?.state === state ? toldAt : since;
    const change = { time: Math.max(at, last ? last.time + 1 : 0), monitorID, state, reason };
    latest.set(monitorID, change);
    changes.push(change);
  }
  return { changes, late, latest };
}

import { notRunning } from '../../schema/schema.ts';
import type { StoredStatus } from '../rows.ts';

/** A monitor entered a state, or there is another reason for it. */
export interface StateChange {
  /** Unix time in microseconds; for each monitor it grows, whatever the clock does. */
  readonly time: number;
  readonly monitorID: string;
  readonly state: string;
  readonly reason: string;
}

/** What is known of a monitor's states. */
export interface StateMemory {
  readonly latest: StateChange;
  /** The latest change before those that `recent` has, if there was one. */
  readonly before: StateChange | undefined;
  /** What was published last, and the change that it was: a kill that becomes known later may make it one. */
  readonly recent: readonly (readonly [StoredStatus, StateChange | undefined])[];
}

/** A camera that is unreachable has two statuses for each attempt. */
const maxRecent = 32;

/** Of a monitor of which only the latest change is known. */
export const memoryOf = (latest: StateChange): StateMemory => ({ latest, before: latest, recent: [] });

/**
 * The changes among the statuses that monitors publish.
 *
 * @param before of each monitor.
 * @returns the changes, `kills` that may be known already, and what is then known of each monitor.
 */
export function stateChanges(before: ReadonlyMap<string, StateMemory>, statuses: readonly StoredStatus[]) {
  const memories = new Map(before);
  const changes: StateChange[] = [];
  const kills: StateChange[] = [];
  for (const status of statuses) {
    const { monitorID, state, reason, since: time } = status;
    const memory = memories.get(monitorID);
    if (reason === notRunning && memory) {
      const kill = { time, monitorID, state, reason };
      const { added, after } = withKill(memory, kill);
      kills.push(kill);
      changes.push(...added);
      memories.set(monitorID, after);
      continue;
    }
    const change = changeTo(memory?.latest, status);
    const latest = change ?? memory?.latest;
    if (change) changes.push(change);
    if (latest) memories.set(monitorID, remember(memory, status, change, latest));
  }
  return { changes, kills, memories };
}

/** @returns undefined if it is no change after the last one. */
function changeTo(last: StateChange | undefined, status: StoredStatus): StateChange | undefined {
  const { monitorID, state, reason, since, time: publishedAt } = status;
  // Whether it records, for example, is not part of the state.
  if (last?.state === state && last.reason === reason) return undefined;
  // Another attempt: a camera that is offline for days is offline once.
  if (last?.state === 'waiting' && state === 'connecting') return undefined;
  const at = last?.state === state ? publishedAt : since;
  return { time: Math.max(at, last ? last.time + 1 : 0), monitorID, state, reason };
}

function remember(
  memory: StateMemory | undefined,
  status: StoredStatus,
  change: StateChange | undefined,
  latest: StateChange,
): StateMemory {
  const all = [...(memory?.recent ?? []), [status, change] as const];
  const [[, forgotten] = []] = all.length > maxRecent ? all : [];
  return { latest, before: forgotten ?? memory?.before, recent: all.slice(-maxRecent) };
}

/**
 * A recorder publishes at its start that the one before it was killed, often after its monitors' first states. Some of these, which were
 * no changes after the last state before the kill, are changes after the kill.
 */
function withKill(memory: StateMemory, kill: StateChange) {
  const added: StateChange[] = [];
  let last = memory.before && memory.before.time >= kill.time ? memory.before : kill;
  const recent = memory.recent.map(([status, known]) => {
    const change = known ?? (status.since > kill.time ? changeTo(last, status) : undefined);
    if (change && change.time > last.time) last = change;
    if (change && !known) added.push(change);
    return [status, change] as const;
  });
  const latest = last.time > memory.latest.time ? last : memory.latest;
  return { added, after: { ...memory, latest, recent } };
}

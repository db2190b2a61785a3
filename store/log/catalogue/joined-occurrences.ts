import { type Occurrence, pauseUs } from './event-list.ts';

interface MachineOccurrence extends Occurrence {
  readonly machine: string;
}

/**
 * Joins what follows on one machine to what another one has seen of the same monitor: somebody who walks by during a takeover.
 *
 * @param found of each machine by itself, in any order.
 */
export function joinOccurrences(found: readonly MachineOccurrence[]): MachineOccurrence[] {
  const joined: MachineOccurrence[] = [];
  const latest = new Map<string, number>();
  for (const one of [...found].sort((a, b) => a.start - b.start)) {
    const place = latest.get(one.monitorID) ?? -1;
    const before = joined[place];
    if (before && one.start - before.end <= pauseUs) {
      joined[place] = together(before, one);
    } else latest.set(one.monitorID, joined.push(one) - 1);
  }
  return joined;
}

function together(one: MachineOccurrence, other: MachineOccurrence): MachineOccurrence {
  const { machine, best } = worth(other) > worth(one) ? other : one;
  const labels = { ...one.labels };
  for (const [label, score] of Object.entries(other.labels)) {
    labels[label] = Math.max(score, labels[label] ?? 0);
  }
  return {
    ...{ ...one, machine, best, labels },
    end: Math.max(one.end, other.end),
    events: one.events + other.events,
  };
}

/** As within one machine: a picture is worth more than any score. */
const worth = ({ best, labels }: Occurrence) =>
  (/^[0-9]{8}T[0-9]{9}-/.test(best.id) ? 1000 : 0) + Math.max(...Object.values(labels));

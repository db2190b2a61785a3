import type { Tenure } from '../../bus/messages.ts';
import { tenures } from '../../bus/subjects.ts';
import type { ClusterRecorder } from './cluster.ts';
import type { Place } from './lab.ts';
import { readStream } from './member-streams.ts';

/** How a machine has recorded its monitors, in the order in which it said so. */
export interface MachineTenures {
  readonly machine: string;
  readonly tenures: readonly Pick<Tenure, 'monitorID' | 'token' | 'provisional'>[];
}

/** @param place where it has a network of its own. */
export async function tenuresOf(member: ClusterRecorder, place?: Place): Promise<MachineTenures> {
  const read = await readStream(member, 'TENURES', tenures, place);
  return { machine: member.name, tenures: read.map(({ message }) => message) };
}

/** Each token that two machines have had, and each that a machine has had after a newer one. */
export function wrongTokens(all: readonly MachineTenures[]): string[] {
  const wrong: string[] = [];
  const holders = new Map<string, string>();
  for (const { machine, tenures: own } of all) {
    const newest = new Map<string, number>();
    for (const { monitorID, token, provisional } of own) {
      // Who stands in for the owner names the owner's token, which it does not have.
      if (!token || provisional) continue;
      const key = `token ${token} of ${monitorID}`;
      const holder = holders.get(key) ?? machine;
      holders.set(key, holder);
      if (holder !== machine) wrong.push(`${key}: ${holder} and ${machine}`);
      const before = newest.get(monitorID) ?? 0;
      if (token < before) wrong.push(`${key}: ${machine}, after ${before}`);
      newest.set(monitorID, Math.max(before, token));
    }
  }
  return wrong;
}

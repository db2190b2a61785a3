import { setTimeout as pause } from 'node:timers/promises';
import { commandLine, descendants, ownCpuSeconds, ownMemory, ownWakeUps } from './processes.ts';

/** What programs that run at the same time cost, with all their processes. */
export interface Cost {
  /** Percent of one core. */
  readonly cpu: number;
  /** Times a second. */
  readonly wakeUps: number;
  /** What several processes share is counted once. */
  readonly megabytes: number;
}

/** Processes of the recorder, by what they do. */
const parts: readonly (readonly [name: string, commandLine: RegExp])[] = [
  ['pipelines', /pipeline-host/],
  ['detectors', /detectors\/host/],
  ['nats-server', /nats-server/],
  ['main', /actors\/main/],
];

const nothing: Cost = { cpu: 0, wakeUps: 0, megabytes: 0 };

/**
 * Measures programs side by side, after Node's compiler and collector have come to rest.
 *
 * @param programs the processes of each; their descendants belong to it.
 * @returns what the programs cost, by the names of their parts.
 */
export async function measureCosts(
  programs: ReadonlyMap<string, readonly number[]>,
  { warmUpMs, measuredMs }: { readonly warmUpMs: number; readonly measuredMs: number },
): Promise<Map<string, Map<string, Cost>>> {
  await pause(warmUpMs);
  const running = [...programs].flatMap(([name, roots]) =>
    roots.flatMap((root) =>
      [root, ...descendants(root)].map((pid) => ({
        name,
        pid,
        part: partOf(pid),
        before: ownCpuSeconds(pid),
        woken: ownWakeUps(pid),
      })),
    ),
  );
  const began = performance.now();
  await pause(measuredMs);
  const seconds = (performance.now() - began) / 1000;
  const costs = new Map<string, Map<string, Cost>>();
  for (const { name, pid, part, before, woken } of running) {
    const byPart = costs.get(name) ?? new Map<string, Cost>();
    costs.set(name, byPart);
    const sum = byPart.get(part) ?? nothing;
    byPart.set(part, {
      cpu: sum.cpu + ((ownCpuSeconds(pid) - before) / seconds) * 100,
      wakeUps: sum.wakeUps + (ownWakeUps(pid) - woken) / seconds,
      megabytes: sum.megabytes + ownMemory(pid).pss / 1e6,
    });
  }
  return costs;
}

/** @returns which part of the recorder a process is. */
export function partOf(pid: number): string {
  const command = commandLine(pid);
  return parts.find(([, pattern]) => pattern.test(command))?.[0] ?? 'others';
}

/** The sum of a program's parts. */
export function totalCost(byPart: ReadonlyMap<string, Cost>): Cost {
  const costs = [...byPart.values()];
  const sum = (of: (cost: Cost) => number) => costs.reduce((total, cost) => total + of(cost), 0);
  return {
    cpu: sum(({ cpu }) => cpu),
    wakeUps: sum(({ wakeUps }) => wakeUps),
    megabytes: sum(({ megabytes }) => megabytes),
  };
}

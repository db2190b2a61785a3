import { createHash } from 'node:crypto';
import type { Heartbeat } from '../../../bus/nats/control/control-messages.ts';

/** A machine that can record. */
export interface RecordingMachine {
  readonly machine: string;
  /** Above 0: its share of the monitors, in relation to the others'. */
  readonly capacity: number;
}

/** A monitor that is enabled, with the machines that can reach its camera; undefined: all. */
export interface SharedMonitor {
  readonly id: string;
  readonly machines?: readonly string[] | undefined;
}

/**
 * @param machines of the cluster: a monitor of others alone, which were renamed or mistyped, is better recorded by any than by none.
 * @returns those that are enabled.
 */
export function sharedMonitors(
  stored: readonly (SharedMonitor & { readonly enable: boolean })[],
  machines: readonly string[],
): readonly SharedMonitor[] {
  return stored
    .filter(({ enable }) => enable)
    .map((monitor) =>
      monitor.machines?.some((machine) => machines.includes(machine)) ? monitor : { id: monitor.id },
    );
}

export function mayRecord(
  { machine, capacity }: RecordingMachine,
  { machines }: Omit<SharedMonitor, 'id'>,
): boolean {
  return capacity > 0 && (machines?.includes(machine) ?? true);
}

/**
 * Sorts machines by who is to take over a monitor: the same order everywhere, another one for each monitor, and each
 * machine comes first as often as its capacity says.
 */
export function byPreference(places: readonly RecordingMachine[], id: string): readonly RecordingMachine[] {
  const scores = new Map(
    places.map(({ machine, capacity }) => [machine, capacity / -Math.log(drawn(`${machine} ${id}`))]),
  );
  const score = ({ machine }: RecordingMachine) => scores.get(machine) ?? 0;
  return [...places].sort((a, b) => score(b) - score(a) || (a.machine < b.machine ? -1 : 1));
}

const draws = new Map<string, number>();
const maxDraws = 10_000;

/** A number in (0, 1) that depends on the text alone. */
function drawn(text: string): number {
  const known = draws.get(text);
  if (known !== undefined) return known;
  const number = (createHash('sha256').update(text).digest().readUIntBE(0, 6) + 1) / (2 ** 48 + 2);
  if (draws.size >= maxDraws) draws.clear();
  draws.set(text, number);
  return number;
}

/** The machine that is to own a monitor of which its owner gets no pictures: one that has them already, if there is one. */
export function nextOwner(places: readonly Heartbeat[], id: string): RecordingMachine | undefined {
  const hasPictures = ({ attends }: Heartbeat) => attends.some((other) => other.id === id && other.streaming);
  const recording = places.filter(hasPictures);
  return byPreference(recording.length > 0 ? recording : places, id)[0];
}

/**
 * The machine that would be less burdened than this one even with one more of its monitors.
 *
 * @param counts the number of monitors that each machine owns.
 */
export function lighterMachine(
  from: RecordingMachine,
  others: readonly RecordingMachine[],
  counts: ReadonlyMap<string, number>,
): RecordingMachine | undefined {
  const burden = ({ machine, capacity }: RecordingMachine, more: number) =>
    ((counts.get(machine) ?? 0) + more) / capacity;
  const [lightest] = [...others].sort((a, b) => burden(a, 1) - burden(b, 1));
  return lightest && burden(lightest, 1) < burden(from, 0) ? lightest : undefined;
}

import { expect, test } from 'vitest';
import {
  byPreference,
  lighterMachine,
  mayRecord,
  sharedMonitors,
} from '../../../../actors/cluster/ownership/placement.ts';

const machines = [
  { machine: 'nvr1', capacity: 10 },
  { machine: 'nvr2', capacity: 10 },
  { machine: 'nvr3', capacity: 20 },
];

test('each machine is the first choice as often as its capacity says, in any order of the list', () => {
  const ids = Array.from({ length: 4000 }, (_, index) => `m${index}`);
  const firsts = ids.map((id) => byPreference(machines, id)[0]?.machine);
  expect(ids.map((id) => byPreference([...machines].reverse(), id)[0]?.machine)).toEqual(firsts);
  const share = (name: string) => firsts.filter((first) => first === name).length / ids.length;
  expect(machines.map(({ machine }) => Math.round(share(machine) * 20) / 20)).toEqual([0.25, 0.25, 0.5]);
});

test('a monitor moves only where it makes the burden more even', () => {
  const [from, ...others] = machines;
  if (!from) throw new Error('there is no machine');
  const next = (...counts: readonly number[]) =>
    lighterMachine(from, others, new Map(machines.map(({ machine }, index) => [machine, counts[index] ?? 0])))
      ?.machine;
  expect(next(3, 3, 3)).toBe('nvr3');
  expect(next(2, 2, 4)).toBeUndefined();
  expect(next(3, 2, 5)).toBeUndefined();
  expect(next(4, 2, 8)).toBe('nvr2');
});

test('a monitor of machines that are all unknown is recorded by any', () => {
  const names = machines.map(({ machine }) => machine);
  const recordedBy = (...of: readonly string[]) => {
    const [monitor] = sharedMonitors([{ id: 'm', enable: true, machines: of }], names);
    return monitor && names.filter((machine) => mayRecord({ machine, capacity: 1 }, monitor));
  };
  expect(recordedBy('nvr2', 'old')).toEqual(['nvr2']);
  expect(recordedBy('old')).toEqual(names);
});

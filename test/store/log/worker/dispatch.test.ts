import { expect, test } from 'vitest';
import type { MachineEntry } from '../../../../store/log/log-store.ts';
import { LogDispatch } from '../../../../store/log/worker/dispatch.ts';

const entry = (time: number): MachineEntry => ({
  level: 'info',
  time,
  msg: '',
  src: 'app',
  monitorID: '',
  machine: 'a',
});
const turn = () => new Promise((resolve) => setImmediate(resolve));

function start(on = true) {
  const pieces: (readonly MachineEntry[])[] = [];
  const dispatch = new LogDispatch(on, (entries) => void pieces.push(entries));
  const add = (from: number, to: number) => {
    for (let time = from; time < to; time += 1) void dispatch.add(entry(time));
  };
  return { dispatch, pieces, add, lengths: () => pieces.map(({ length }) => length) };
}

test('entries are handed over in small pieces, a few ahead of those that were dealt with', async () => {
  const { dispatch, pieces, add, lengths } = start();
  add(0, 2200);
  expect(pieces).toEqual([]);
  await turn();
  expect(lengths()).toEqual([500, 500, 500]);
  dispatch.taken();
  expect(lengths()).toEqual([500, 500, 500, 500]);
  add(2200, 2250);
  await turn();
  expect(lengths()).toEqual([500, 500, 500, 500]);
  dispatch.taken();
  expect(pieces.flat().map(({ time }) => time)).toEqual(Array.from({ length: 2250 }, (_, n) => n));
});

test('while main is far behind there is no room, until it has caught up or nobody follows', async () => {
  const { dispatch, add } = start();
  add(0, 21_499);
  await turn();
  // Fifteen hundred are under way.
  expect(dispatch.add(entry(0))).toBeInstanceOf(Promise);
  const room = dispatch.add(entry(0));
  dispatch.taken();
  await room;
  add(0, 1000);
  const given = dispatch.add(entry(0));
  expect(given).toBeInstanceOf(Promise);
  dispatch.follow(false);
  await given;
});

test('nothing is handed over while nobody follows', async () => {
  const { dispatch, pieces, add } = start(false);
  add(0, 10);
  dispatch.follow(true);
  await turn();
  expect(pieces).toEqual([]);
  add(10, 11);
  await turn();
  expect(pieces.flat().map(({ time }) => time)).toEqual([10]);
});

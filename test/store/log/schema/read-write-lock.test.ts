import { expect, test } from 'vitest';
import { ReadWriteLock } from '../../../../store/log/schema/read-write-lock.ts';

/** A task that ends when it is told to, and notes what happens. */
function task(name: string, notes: string[]) {
  let finish = () => {};
  const finished = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const run = async () => {
    notes.push(`${name} begins`);
    await finished;
    notes.push(`${name} ends`);
    return name;
  };
  return { run, finish };
}

const settle = () => new Promise((resolve) => setImmediate(resolve));

test('tasks pass side by side; an exclusive one waits for those inside, and later ones wait for it', async () => {
  const gate = new ReadWriteLock();
  const notes: string[] = [];
  const [one, two, alone, late] = ['one', 'two', 'alone', 'late'].map((name) => task(name, notes));
  if (!one || !two || !alone || !late) throw new Error();
  const results = [gate.read(one.run), gate.read(two.run), gate.write(alone.run), gate.read(late.run)];
  await settle();
  expect(notes).toEqual(['one begins', 'two begins']);
  one.finish();
  await settle();
  expect(notes.at(-1)).toBe('one ends');
  two.finish();
  await settle();
  expect(notes.slice(-2)).toEqual(['two ends', 'alone begins']);
  late.finish();
  await settle();
  expect(notes.at(-1)).toBe('alone begins');
  alone.finish();
  expect(await Promise.all(results)).toEqual(['one', 'two', 'alone', 'late']);
  expect(notes.slice(-3)).toEqual(['alone ends', 'late begins', 'late ends']);
});

test('what fails inside opens the gate as well', async () => {
  const gate = new ReadWriteLock();
  const fail = () => Promise.reject(new Error('failed'));
  await expect(gate.read(fail)).rejects.toThrow('failed');
  await expect(gate.write(fail)).rejects.toThrow('failed');
  expect(await gate.write(async () => 'through')).toBe('through');
  expect(await gate.read(async () => 'through')).toBe('through');
});

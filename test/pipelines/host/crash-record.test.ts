import { expect, test } from 'vitest';
import { CrashRecord } from '../../../pipelines/host/crash-record.ts';

const hourMs = 3600_000;

test('a monitor is alone for six hours after the second crash within an hour, and longer if it goes on', () => {
  const record = new CrashRecord();
  expect(record.add('door', 0)).toBe(false);
  expect(record.add('door', hourMs)).toBe(false);
  expect(record.add('gate', hourMs)).toBe(false);
  expect(record.isAlone('door', hourMs)).toBe(false);
  expect(record.add('door', 2 * hourMs - 1)).toBe(true);
  expect(record.isAlone('gate', 2 * hourMs)).toBe(false);
  expect(record.isAlone('door', 8 * hourMs - 2)).toBe(true);
  expect(record.isAlone('door', 8 * hourMs - 1)).toBe(false);
  expect(record.add('door', 20 * hourMs)).toBe(false);
  expect(record.add('door', 20 * hourMs + 1)).toBe(true);
  expect(record.add('door', 25 * hourMs)).toBe(false);
  expect(record.isAlone('door', 31 * hourMs - 1)).toBe(true);
});

import { expect, test } from 'vitest';
import { bucketFor, stackedCounts } from '../../../http/pages/app/logs/chart/log-counts.ts';

const second = 1e6;
const levels = ['error', 'info'] as const;

test('a chart of the log has all its bars, and stacks levels', () => {
  const [start, end] = [3600 * second, 3600 * 3 * second];
  const bucket = { name: '1h', length: 3600 * second };
  const rows = [
    { time: start, level: 'error', count: 2 },
    { time: start, level: 'info', count: 5 },
    { time: start, level: 'debug', count: 9 },
    { time: end, level: 'info', count: 1 },
  ] as const;
  expect(stackedCounts(rows, levels, { start, end, bucket })).toEqual([
    [3600, 7200],
    [2, 0],
    [7, 0],
  ]);
});

test('bars are as fine as there is room for them', () => {
  const nameFor = (seconds: number) => bucketFor(0, seconds * second).name;
  expect([60, 600, 3600, 24 * 3600, 30 * 86_400].map(nameFor)).toEqual(['1s', '10s', '1m', '30m', '1d']);
});

import { expect, test } from 'vitest';
import { DecoderBudget } from '../../../pipelines/frames/decoder-budget.ts';

test('decoders that have cost the process much start once an hour, for as long as it lives', () => {
  const budget = new DecoderBudget();
  const hourMs = 3600_000;
  for (let start = 0; start < 200; start += 1) expect(budget.take(start)).toBe(0);
  const lastMs = 199;
  expect(budget.take(lastMs)).toBe(hourMs);
  expect(budget.take(lastMs + hourMs - 1)).toBe(1);
  expect(budget.take(lastMs + hourMs)).toBe(0);
  expect(budget.take(lastMs + hourMs + 1)).toBe(hourMs - 1);
  expect(budget.take(lastMs + 2 * hourMs)).toBe(0);
});

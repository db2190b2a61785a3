import { expect, test } from 'vitest';
import { leases } from '../../bus/leases.ts';

test.each(Object.entries(leases))('a lease outlives two lost renewals: %s', (_, { renewMs, expireMs }) => {
  expect(expireMs).toBeGreaterThanOrEqual(3 * renewMs);
});

import { array, assert, integer, property } from 'fast-check';
import { expect, test } from 'vitest';
import { assign } from '../../../../../actors/detectors/objects/tracking/assignment.ts';

/** The least sum, by trying all. */
function least(costs: readonly (readonly number[])[], row = 0, used = new Set<number>()): number {
  const columns = costs[0]?.length ?? 0;
  if (row === costs.length) return 0;
  let best = Number.POSITIVE_INFINITY;
  // With more rows than columns some stay without.
  if (costs.length - row > columns - used.size) best = least(costs, row + 1, used);
  for (let column = 0; column < columns; column += 1) {
    if (used.has(column)) continue;
    used.add(column);
    best = Math.min(best, (costs[row]?.[column] as number) + least(costs, row + 1, used));
    used.delete(column);
  }
  return best;
}

test('is the cheapest there is, and gives no column twice', () => {
  const matrix = integer({ min: 1, max: 5 }).chain((columns) =>
    array(array(integer({ min: 0, max: 20 }), { minLength: columns, maxLength: columns }), {
      minLength: 1,
      maxLength: 5,
    }),
  );
  void assert(
    property(matrix, (costs) => {
      const chosen = assign(costs);
      const taken = chosen.filter((column) => column >= 0);
      expect(new Set(taken).size).toBe(taken.length);
      expect(taken).toHaveLength(Math.min(costs.length, costs[0]?.length ?? 0));
      const sum = chosen.reduce(
        (total, column, row) => total + (column < 0 ? 0 : (costs[row]?.[column] as number)),
        0,
      );
      expect(sum).toBe(least(costs));
    }),
  );
});

test('of nothing is nothing', () => {
  expect(assign([])).toEqual([]);
  expect(assign([[], []])).toEqual([-1, -1]);
});

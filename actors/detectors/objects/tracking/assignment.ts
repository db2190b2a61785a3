/**
 * Assigns each row a column of its own at the lowest total cost: the Hungarian method, with potentials and shortest
 * augmenting paths.
 *
 * @param costs one list per row, all of the same length.
 * @returns the column of each row; -1 for rows without one, if there are fewer columns than rows.
 */
export function assign(costs: readonly (readonly number[])[]): number[] {
  const rows = costs.length;
  const columns = costs[0]?.length ?? 0;
  if (columns === 0) return costs.map(() => -1);
  if (rows > columns) {
    const turned = Array.from({ length: columns }, (_, column) => costs.map((row) => row[column] as number));
    const chosen: number[] = costs.map(() => -1);
    assign(turned).forEach((row, column) => {
      chosen[row] = column;
    });
    return chosen;
  }
  // Rows and columns are counted from 1; 0 means none.
  const rowPotential = new Float64Array(rows + 1);
  const columnPotential = new Float64Array(columns + 1);
  const rowOf = new Int32Array(columns + 1);
  for (let row = 1; row <= rows; row += 1) {
    augment(row);
  }
  const chosen: number[] = costs.map(() => -1);
  for (let column = 1; column <= columns; column += 1) {
    const row = at(rowOf, column);
    if (row > 0) chosen[row - 1] = column - 1;
  }
  return chosen;

  /** Assigns one more row, reassigning others along the cheapest path. */
  function augment(row: number): void {
    rowOf[0] = row;
    const minCost = new Float64Array(columns + 1).fill(Number.POSITIVE_INFINITY);
    const before = new Int32Array(columns + 1);
    const used = new Uint8Array(columns + 1);
    let column = 0;
    while (at(rowOf, column) !== 0) {
      used[column] = 1;
      const from = at(rowOf, column);
      let delta = Number.POSITIVE_INFINITY;
      let next = 0;
      for (let to = 1; to <= columns; to += 1) {
        if (used[to]) continue;
        const cost = (costs[from - 1]?.[to - 1] as number) - at(rowPotential, from) - at(columnPotential, to);
        if (cost < at(minCost, to)) {
          minCost[to] = cost;
          before[to] = column;
        }
        if (at(minCost, to) < delta) {
          delta = at(minCost, to);
          next = to;
        }
      }
      for (let to = 0; to <= columns; to += 1) {
        if (used[to]) {
          const held = at(rowOf, to);
          rowPotential[held] = at(rowPotential, held) + delta;
          columnPotential[to] = at(columnPotential, to) - delta;
        } else {
          minCost[to] = at(minCost, to) - delta;
        }
      }
      column = next;
    }
    while (column !== 0) {
      const previous = at(before, column);
      rowOf[column] = at(rowOf, previous);
      column = previous;
    }
  }
}

const at = (array: Float64Array | Int32Array, index: number) => array[index] as number;

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Queue } from '../../../bus/base/queue.ts';

test('whatever is done to it, it gives back what an array would', () => {
  const step = fc.oneof(
    fc.record({ push: fc.integer({ min: 1, max: 1500 }) }),
    fc.record({ shift: fc.integer({ min: 1, max: 1500 }) }),
    fc.record({ putBack: fc.integer({ min: 0, max: 5 }) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 20 }), (steps) => {
      const queue = new Queue<number>();
      const array: number[] = [];
      let next = 0;
      const some = (count: number) => Array.from({ length: count }, () => next++);
      for (const each of steps) {
        if ('push' in each) {
          for (const item of some(each.push)) {
            queue.push(item);
            array.push(item);
          }
        } else if ('shift' in each) {
          for (let n = 0; n < each.shift; n += 1) expect(queue.shift()).toBe(array.shift());
        } else {
          const items = some(each.putBack);
          queue.putBack(items);
          array.unshift(...items);
        }
        expect(queue).toHaveLength(array.length);
      }
    }),
    { numRuns: 50 },
  );
});

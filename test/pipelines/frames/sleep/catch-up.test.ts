import { expect, test } from 'vitest';
import { catchUp } from '../../../../pipelines/frames/sleep/catch-up.ts';

test('decoders catch up one after the other, each begins once', async () => {
  const begun: number[] = [];
  let done = 0;
  const turn = (number: number) =>
    catchUp(
      () => begun.push(number),
      () => done >= number,
    );
  const [first, second] = [turn(1), turn(2)];
  await new Promise(setImmediate);
  expect(begun).toEqual([1]);
  done = 1;
  await first;
  done = 2;
  await second;
  expect(begun).toEqual([1, 2]);
});

test('none waits for many that take long', async () => {
  const begun: number[] = [];
  const turns = [1, 2, 3, 4, 5, 6].map((number) =>
    catchUp(
      () => begun.push(number),
      () => false,
    ),
  );
  await turns[1];
  expect(begun).toEqual([1, 2, 3, 4, 5, 6]);
  await Promise.all(turns);
});

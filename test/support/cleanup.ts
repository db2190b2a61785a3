import { afterAll, onTestFinished } from 'vitest';

const left: (() => Promise<void>)[] = [];

/**
 * Runs `end` when the current test is over, or, called outside of a test (in `beforeAll`), after the file's
 * last one. The last thing started is the first to be ended.
 */
export function atEnd(end: () => Promise<void>): void {
  try {
    onTestFinished(end);
  } catch {
    left.push(end);
  }
}

afterAll(async () => {
  for (const end of left.splice(0).reverse()) await end();
});

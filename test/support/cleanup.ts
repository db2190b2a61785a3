import { AsyncLocalStorage } from 'node:async_hooks';
import { afterAll, aroundEach, onTestFinished, type TestContext } from 'vitest';

const left: (() => Promise<void>)[] = [];
/** Which of the concurrent tests this is, of which Vitest knows only the last one that began. */
const concurrent = new AsyncLocalStorage<TestContext>();

/**
 * Runs `end` when the current test is over, or, called outside of a test (in `beforeAll`), after the file's
 * last one. The last thing started is the first to be ended.
 */
export function atEnd(end: () => Promise<void>): void {
  const context = concurrent.getStore();
  try {
    if (context) context.onTestFinished(end);
    else onTestFinished(end);
  } catch {
    left.push(end);
  }
}

// Following every promise takes time, so only where it is needed.
aroundEach((run, context) => (context.task.concurrent ? concurrent.run(context, run) : run()));

afterAll(async () => {
  for (const end of left.splice(0).reverse()) await end();
});

import { setTimeout as pause } from 'node:timers/promises';

const minPauseMs = 20;
const maxPauseMs = 250;

/**
 * Looks again and again until there is something to see, for what gives no event to wait for.
 *
 * @param timeout milliseconds
 * @param what names what is waited for in the error
 * @returns the first value that is neither false, null nor undefined
 * @throws when there is none in time; an error of the last look is its cause
 */
export async function waitFor<T>(
  look: () => T | Promise<T>,
  timeout: number,
  what: string,
): Promise<Exclude<T, false | null | undefined>> {
  const deadline = Date.now() + timeout;
  for (;;) {
    let cause: unknown;
    const began = performance.now();
    try {
      const seen = await look();
      if (seen !== false && seen !== null && seen !== undefined) {
        return seen as Exclude<T, false | null | undefined>;
      }
    } catch (error) {
      cause = error;
    }
    if (Date.now() > deadline) throw new Error(`waited ${timeout} ms in vain for ${what}`, { cause });
    // A look that takes long would keep a core busy otherwise.
    await pause(Math.min(maxPauseMs, Math.max(minPauseMs, 2 * (performance.now() - began))));
  }
}

import { setTimeout as sleep } from 'node:timers/promises';

export interface RetryOptions {
  /** How long to wait before the attempt with this number, counted from 1. */
  readonly pauseMs: (attempt: number) => number;
  /** Once aborted there is no further attempt. */
  readonly signal: AbortSignal;
  readonly onFailure: (error: Error) => void;
}

/** Tries until it succeeds. @throws the signal's reason once that is aborted, or what an attempt fails with then. */
export async function retry<T>(attempt: () => Promise<T>, options: RetryOptions): Promise<T> {
  const { pauseMs, signal, onFailure } = options;
  for (let number = 1; ; number += 1) {
    await sleep(pauseMs(number), undefined, { signal });
    try {
      return await attempt();
    } catch (error) {
      if (signal.aborted) throw error;
      onFailure(error as Error);
    }
  }
}

import { setTimeout as sleep } from 'node:timers/promises';

export interface RetryOptions {
  /** Pause before the attempt with this number, counted from 1, in milliseconds. */
  readonly pauseMs: (attempt: number) => number;
  /** When aborted, no further attempt is made. */
  readonly signal: AbortSignal;
  readonly onFailure: (error: Error) => void;
}

/** Retries until an attempt succeeds. @throws the signal's reason after an abort, or the error of an attempt that fails then. */
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

import { setTimeout as sleep } from 'node:timers/promises';
import { Mutex } from '../../../bus/base/mutex.ts';

/** What a group takes to decode at most, as a rule; then it is the next one's turn in any case. */
const turnMs = 1000;
/** However many come before it, a decoder waits no longer for its turn: what it shows is late by that. */
const maxWaitMs = 1000;
const lookMs = 20;

/** Decoders that wake up together (a light that is switched on) catch up one after the other, or they would all be late. */
const turns = new Mutex();

/**
 * @param begin hands its pictures to a decoder
 * @param isDone whether it has decoded them
 */
export function catchUp(begin: () => void, isDone: () => boolean): Promise<void> {
  let begunMs: number | undefined;
  const beginOnce = () => {
    if (begunMs !== undefined) return begunMs;
    begunMs = performance.now();
    begin();
    return begunMs;
  };
  const patience = setTimeout(beginOnce, maxWaitMs);
  return turns.runExclusive(async () => {
    clearTimeout(patience);
    const from = beginOnce();
    while (!isDone() && performance.now() - from < turnMs) await sleep(lookMs);
  });
}

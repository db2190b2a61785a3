import { setTimeout as sleep } from 'node:timers/promises';
import { Mutex } from '../../../bus/base/mutex.ts';

/** What a group takes to decode at most, as a rule; then it is the next one's turn in any case. */
const turnMs = 1000;
const lookMs = 20;

/** Decoders that wake up together (a light that is switched on) catch up one after the other, or they would all be late. */
const turns = new Mutex();

/**
 * @param begin hands its pictures to a decoder
 * @param isDone whether it has decoded them
 */
export function catchUp(begin: () => void, isDone: () => boolean): Promise<void> {
  return turns.runExclusive(async () => {
    const from = performance.now();
    begin();
    while (!isDone() && performance.now() - from < turnMs) await sleep(lookMs);
  });
}

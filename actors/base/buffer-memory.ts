import { setTimeout as pause } from 'node:timers/promises';
import { getHeapStatistics } from 'node:v8';
import { collector } from '../../store/base/collector.ts';

const intervalMs = 60_000;
/** V8 counts the buffers that it has freed a moment after a collection. */
const settleMs = 1000;
/** Bytes of buffers by which the process may grow: more each time that a full collection frees less than that. */
const allowance = { min: 8e6, max: 64e6 };

/**
 * Keeps buffers that nobody uses any more from adding up. Those that were in use during two minor collections, as pictures are that
 * wait for the next key frame, are freed by a full one only, which V8 puts off until there are 64 MB of them.
 */
export class BufferMemory {
  readonly #collect = collector();
  /** What was left by the last full collection. */
  #kept = 0;
  #allowance = allowance.min;

  /** Looks after it as long as the process runs. */
  start(): void {
    setInterval(() => void this.look(), intervalMs).unref();
  }

  /** Frees buffers if there are many more than after the last time; takes 30 ms then, or twice that. */
  async look(): Promise<void> {
    if (!this.#areMany) return;
    this.#collect({ type: 'minor' });
    await settled();
    if (!this.#areMany) return;
    // One that V8 had begun by itself keeps what was in use then.
    const isWorthIt = (await this.#freesMany()) || (await this.#freesMany());
    this.#kept = bufferBytes();
    this.#allowance = isWorthIt ? allowance.min : Math.min(2 * this.#allowance, allowance.max);
  }

  async #freesMany(): Promise<boolean> {
    const before = bufferBytes();
    this.#collect();
    await settled();
    return before - bufferBytes() > allowance.min / 2;
  }

  get #areMany(): boolean {
    return bufferBytes() > this.#kept + this.#allowance;
  }
}

const bufferBytes = () => getHeapStatistics().external_memory;
const settled = () => pause(settleMs, undefined, { ref: false });

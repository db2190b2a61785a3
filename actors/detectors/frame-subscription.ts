import { FrameRateLimit } from '../../bus/frame-rate-limit.ts';
import type { Frame } from '../../bus/frames.ts';
import { leases } from '../../bus/leases.ts';
import type { MotionNeed } from '../../pipelines/frames/sleep/decoder-sleep.ts';
import type { FoundMotion } from '../../pipelines/frames/sleep/withheld-motion.ts';
import type { DetectorEnvironment } from './detector-contract.ts';
import { FairQueue, type Slot } from './fair-queue.ts';
import type { HeldFrames } from './frames/decoded-stream.ts';

export interface FrameSubscriptionOptions {
  /** Receives one frame at a time: the newest, skipping those that arrived during the last one. It must not reject. */
  readonly onFrame: (frame: Frame) => Promise<void> | void;
  /** Shared with other subscriptions, which take turns. */
  readonly queue?: FairQueue;
  /** While it returns false, no frames are requested. */
  readonly isWanted?: () => boolean;
  /** Of motion detection. */
  readonly motion?: MotionNeed;
  /** Called every few seconds while no frames are wanted. */
  readonly onIdle?: () => void;
}

/** A detector's frames, until it is closed. */
export class FrameSubscription {
  readonly #options: FrameSubscriptionOptions;
  readonly #slot: Slot<Frame>;
  readonly #held: HeldFrames;
  readonly #renewing: NodeJS.Timeout;

  constructor(environment: DetectorEnvironment, options: FrameSubscriptionOptions) {
    this.#options = options;
    const { openFrames, maxFrameRate } = environment;
    const { onFrame, queue = new FairQueue(), isWanted, motion } = options;
    this.#slot = queue.join<Frame>(onFrame);
    const limit = new FrameRateLimit(maxFrameRate);
    this.#held = openFrames((frame) => {
      if (isWanted?.() !== false && limit.isDue(frame.timeUs)) this.#slot.put(frame);
    }, motion);
    this.renew();
    this.#renewing = setInterval(() => this.renew(), leases.frames.renewMs);
  }

  /** Number of frames that were not analysed because newer ones arrived first. */
  get skipped(): number {
    return this.#slot.skipped;
  }

  /** Requests frames now, if they are wanted, in addition to the renewal every few seconds. */
  renew(): void {
    const { isWanted, onIdle } = this.#options;
    if (isWanted?.() === false) onIdle?.();
    else this.#held.renew();
  }

  /** See {@link HeldFrames.noteMotion}. */
  noteMotion(motion: FoundMotion): void {
    this.#held.noteMotion(motion);
  }

  close(): void {
    clearInterval(this.#renewing);
    this.#held.end();
    this.#slot.leave();
  }
}

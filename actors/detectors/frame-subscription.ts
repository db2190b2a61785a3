import { FrameRateLimit } from '../../bus/frame-rate-limit.ts';
import type { Frame } from '../../bus/frames.ts';
import { leases } from '../../bus/leases.ts';
import type { FrameFormat } from '../../bus/messages.ts';
import { commands } from '../../bus/subjects.ts';
import type { DetectorEnvironment } from './detector-contract.ts';
import { FairQueue, type Slot } from './fair-queue.ts';

export interface FrameSubscriptionOptions {
  readonly format: FrameFormat;
  /** Receives one frame at a time: the newest, skipping those that arrived during the last one. It must not reject. */
  readonly onFrame: (frame: Frame) => Promise<void> | void;
  /** Shared with other subscriptions, which take turns. */
  readonly queue?: FairQueue;
  /** While it returns false, no frames are requested. */
  readonly isWanted?: () => boolean;
  /** Called every few seconds while no frames are wanted. */
  readonly onIdle?: () => void;
}

/** Requests frames from a monitor's pipeline and receives them, until it is closed. */
export class FrameSubscription {
  readonly #environment: DetectorEnvironment;
  readonly #options: FrameSubscriptionOptions;
  readonly #slot: Slot<Frame>;
  readonly #unsubscribe: () => void;
  readonly #renewing: NodeJS.Timeout;

  constructor(environment: DetectorEnvironment, options: FrameSubscriptionOptions) {
    this.#environment = environment;
    this.#options = options;
    const { frames, monitorID, maxFrameRate } = environment;
    const { format, onFrame, queue = new FairQueue(), isWanted } = options;
    this.#slot = queue.join<Frame>(onFrame);
    const limit = new FrameRateLimit(maxFrameRate);
    this.#unsubscribe = frames.subscribeFrames(monitorID, format, (frame) => {
      if (isWanted?.() !== false && limit.isDue(frame.timeUs)) this.#slot.put(frame);
    });
    this.renew();
    this.#renewing = setInterval(() => this.renew(), leases.frames.renewMs);
  }

  /** Number of frames that were not analysed because newer ones arrived first. */
  get skipped(): number {
    return this.#slot.skipped;
  }

  /** Requests frames now, if they are wanted, in addition to the renewal every few seconds. */
  renew(): void {
    const { bus, monitorID } = this.#environment;
    const { format, isWanted, onIdle } = this.#options;
    if (isWanted?.() === false) onIdle?.();
    else bus.publish(commands.frames, [monitorID], { format });
  }

  close(): void {
    clearInterval(this.#renewing);
    this.#unsubscribe();
    this.#slot.leave();
  }
}

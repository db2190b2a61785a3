import { FrameRateLimit } from '../../bus/frame-rate-limit.ts';
import type { Frame } from '../../bus/frames.ts';
import { leases } from '../../bus/leases.ts';
import type { FrameFormat } from '../../bus/messages.ts';
import { commands } from '../../bus/subjects.ts';
import type { DetectorEnvironment } from './detector-contract.ts';
import { FairQueue, type Slot } from './fair-queue.ts';

export interface FrameSubscriptionOptions {
  readonly format: FrameFormat;
  /** Gets one frame after the other: the newest, whatever came while it looked at the last one. It never rejects. */
  readonly onFrame: (frame: Frame) => Promise<void> | void;
  /** Shared with others whose turns it waits for. */
  readonly queue?: FairQueue;
  /** No frames are made while it says no. */
  readonly isWanted?: () => boolean;
  /** Called every few seconds while none are wanted. */
  readonly onIdle?: () => void;
}

/** Has frames made by a monitor's pipeline, and receives them, until it is closed. */
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

  /** How many frames were not looked at, because newer ones came before their turn. */
  get skipped(): number {
    return this.#slot.skipped;
  }

  /** Asks for frames now, if they are wanted: it is done every few seconds anyway. */
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

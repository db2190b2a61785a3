import { setImmediate as turn } from 'node:timers/promises';
import type { DetectorEnvironment } from '../../actors/detectors/detector-contract.ts';
import type { Frame } from '../../bus/frames.ts';

/** Frames that a test shows to a detector, and how often the detector asked for some. */
export class ShownFrames {
  readonly #listeners = new Set<(frame: Frame) => void>();
  asked = 0;
  /** When something moved, by what the detector said. */
  readonly motionUs: number[] = [];

  readonly open: DetectorEnvironment['openFrames'] = (onFrame) => {
    this.#listeners.add(onFrame);
    return {
      renew: () => {
        this.asked += 1;
      },
      noteMotion: ({ timeUs, publish }) => {
        this.motionUs.push(timeUs);
        publish();
      },
      end: () => void this.#listeners.delete(onFrame),
    };
  };

  /** Resolves when it has been looked at. */
  async show(frame: Frame): Promise<void> {
    for (const listener of this.#listeners) listener(frame);
    await turn();
  }
}

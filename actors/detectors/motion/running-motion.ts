import type { Bus } from '../../../bus/nats/bus.ts';
import { questions } from '../../../bus/subjects.ts';
import type { Detector, DetectorEnvironment } from '../detector-contract.ts';
import { MotionDetector } from './motion-detector.ts';
import type { Zone } from './motion-zones.ts';

/** Motion detection of all monitors, to be asked for scores. */
export class RunningMotion {
  readonly #detectors = new Map<string, MotionDetector>();
  readonly #forget: () => void;

  constructor(bus: Bus) {
    this.#forget = bus.answer(questions.scores, async ({ monitorID, zones }) => {
      const detector = this.#detectors.get(monitorID);
      return detector?.watches.answer(zones) ?? { isRunning: false, scores: [] };
    });
  }

  start(environment: DetectorEnvironment, zones: readonly Zone[], maySleep: boolean): Detector {
    const { monitorID } = environment;
    const detector = new MotionDetector(environment, zones, maySleep);
    this.#detectors.set(monitorID, detector);
    return {
      stop: () => {
        detector.stop();
        if (this.#detectors.get(monitorID) === detector) this.#detectors.delete(monitorID);
      },
    };
  }

  close(): void {
    this.#forget();
  }
}

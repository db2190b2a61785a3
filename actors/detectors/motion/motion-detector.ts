import type { Frame } from '../../../bus/frames.ts';
import { publishDetections } from '../detection-publisher.ts';
import type { Detector, DetectorEnvironment } from '../detector-contract.ts';
import { FrameSubscription } from '../frame-subscription.ts';
import { MotionLog } from './motion-log.ts';
import { leastShare, MotionZones, type Zone } from './motion-zones.ts';
import { ScoreWatches } from './score-watches.ts';

/** Publishes an event for every frame with motion in an enabled zone. */
export class MotionDetector implements Detector {
  readonly watches = new ScoreWatches();
  readonly #environment: DetectorEnvironment;
  readonly #zoneSettings: readonly Zone[];
  readonly #log: MotionLog;
  readonly #frames: FrameSubscription;
  #before: Frame | undefined;
  #zones: MotionZones | undefined;

  constructor(environment: DetectorEnvironment, zones: readonly Zone[], maySleep = false) {
    this.#environment = environment;
    this.#zoneSettings = zones;
    this.#log = new MotionLog(environment.log, environment.monitorID);
    this.#frames = new FrameSubscription(environment, {
      onFrame: (frame) => this.#look(frame),
      motion: { leastShare: leastShare(zones), maySleep },
    });
  }

  stop(): void {
    this.#frames.close();
    this.#log.end();
  }

  #look(frame: Frame): void {
    const before = this.#before;
    this.#before = frame;
    // A frame of another connection or size cannot be compared with the previous one.
    if (
      before?.width !== frame.width ||
      before.height !== frame.height ||
      frame.sequence <= before.sequence
    ) {
      this.#zones = new MotionZones(this.#zoneSettings, frame.width, frame.height);
      return;
    }
    this.watches.look(before, frame);
    const detections = this.#zones?.compare(before.data, frame.data) ?? [];
    const { timeUs } = frame;
    if (detections.length === 0) this.#log.look(timeUs, detections);
    else
      this.#frames.noteMotion({
        ...{ sinceUs: before.timeUs, timeUs },
        publish: () => {
          this.#log.look(timeUs, detections);
          publishDetections(this.#environment, timeUs, detections);
        },
      });
  }
}

import { randomText } from '../../../bus/base/random.ts';
import type { Frame } from '../../../bus/frames.ts';
import { leases } from '../../../bus/leases.ts';
import { reports } from '../../../bus/subjects.ts';
import { snapshotEventID } from '../../../store/recordings/snapshots.ts';
import type { Detector, DetectorEnvironment } from '../detector-contract.ts';
import { FrameSubscription } from '../frame-subscription.ts';
import { Mask } from './mask.ts';
import { ModelSession } from './model-session.ts';
import { MotionWindow } from './motion-window.ts';
import type { ObjectDetectionResources } from './object-detection-resources.ts';
import { ObjectPublisher } from './object-publisher.ts';
import type { BoundingBox, DetectedBox } from './picture/bounding-box.ts';
import { MotionRegion } from './picture/motion-region.ts';
import { boxOf, croppedRegion, placeInPicture, regionAround } from './picture/region.ts';
import type { Picture } from './picture/scaler.ts';
import { BestSnapshots } from './snapshots/best-snapshots.ts';
import type { TfliteConfig } from './tflite-config.ts';
import { ObjectLifecycle } from './tracking/object-lifecycle.ts';
import { Tracker } from './tracking/tracker.ts';

/** A detection below the threshold, but above this share of it, continues an existing track. */
const followShare = 0.6;
/** A moving object is published again at least this often, so that the recording goes on. */
const maxRenewalUs = 10_000_000;
/** After so many looks at a part of the picture comes one at the whole. */
const partialLooks = 4;
const skippedPauseMs = 60_000;

/** Follows the objects in one monitor's frames, and publishes an event when one appears or goes on moving. */
export class ObjectDetector implements Detector {
  readonly #environment: DetectorEnvironment;
  readonly #settings: TfliteConfig;
  readonly #resources: ObjectDetectionResources;
  readonly #wanted: ReadonlyMap<string, number>;
  readonly #mask: Mask;
  readonly #tracker: Tracker;
  readonly #objects: ObjectLifecycle;
  readonly #snapshots: BestSnapshots;
  readonly #publisher: ObjectPublisher;
  readonly #motion = new MotionRegion();
  readonly #model: ModelSession;
  /** Set once the model is open. */
  #watching: { window: MotionWindow; frames: FrameSubscription; reporting: NodeJS.Timeout } | undefined;
  #partial = 0;
  #lastUs = 0;
  #skippedLoggedAt = 0;
  #stopped = false;

  constructor(environment: DetectorEnvironment, settings: TfliteConfig, resources: ObjectDetectionResources) {
    this.#environment = environment;
    this.#settings = settings;
    this.#resources = resources;
    const thresholds = new Map(
      Object.entries(settings.thresholds).map(([label, percent]) => [label, percent / 100]),
    );
    this.#wanted = new Map([...thresholds].map(([label, minScore]) => [label, minScore * followShare]));
    this.#mask = new Mask(settings.mask);
    const periodUs = settings.feedRate > 0 ? 1e6 / settings.feedRate : 0;
    this.#tracker = new Tracker({ thresholds, patienceUs: Math.max(2e6, 3 * periodUs) });
    this.#objects = new ObjectLifecycle({
      renewalUs: Math.min(maxRenewalUs, Math.max(1e6, (settings.duration / 2) * 1e6)),
      newObjectID: () => randomText(22),
      newEventID: () => snapshotEventID(Date.now()),
    });
    const keep = (eventID: string, picture: Picture) =>
      void resources.keep(eventID, picture, environment.monitorID);
    this.#snapshots = new BestSnapshots(keep);
    this.#publisher = new ObjectPublisher(environment, this.#snapshots, keep);
    this.#model = new ModelSession(environment, resources, settings.detectorName, (engine) =>
      this.#watch(engine),
    );
  }

  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#model.close();
    this.#watching?.window.close();
    this.#watching?.frames.close();
    clearInterval(this.#watching?.reporting);
    this.#publisher.publish(this.#objects.update(0, [], this.#tracker.clear()), undefined);
  }

  #watch(engine: string): void {
    const window = new MotionWindow(this.#environment, !this.#settings.whileMotion, () => frames.renew());
    // Frames are made, in colour, only while somebody looks at them.
    const frames = new FrameSubscription(this.#environment, {
      queue: this.#resources.queue,
      isWanted: () => window.isOpen,
      onIdle: () => this.#rest(),
      onFrame: (frame) => this.#look(frame),
    });
    const report = () => this.#report(engine, frames.skipped);
    report();
    this.#watching = { window, frames, reporting: setInterval(report, leases.detectorReport.renewMs) };
  }

  #report(engine: string, skipped: number): void {
    const { bus, log, monitorID, name } = this.#environment;
    const model = this.#settings.detectorName;
    bus.publish(reports, [monitorID, name], { monitorID, detector: name, model, engine, skipped });
    if (skipped === 0 || Date.now() - this.#skippedLoggedAt < skippedPauseMs) return;
    this.#skippedLoggedAt = Date.now();
    log.info(
      `${skipped} frames were not looked at so far, because newer ones came before their turn`,
      monitorID,
    );
  }

  async #look(frame: Frame): Promise<void> {
    const region = this.#chooseRegion(frame);
    const looked = boxOf(region, frame);
    const { width, height, data } = frame;
    const detections = await this.#model.look({ width, height, data }, region, this.#wanted);
    if (!detections) return;
    const seen = detections
      .map((detection) => ({ ...detection, box: placeInPicture(detection.box, looked) }))
      .filter(({ box }) => !this.#mask.hides(box));
    this.#follow(frame, seen, looked);
  }

  #follow(frame: Frame, seen: readonly DetectedBox[], looked: BoundingBox): void {
    // The clock was set back, or it is another connection's: what was before cannot be followed.
    const broken = frame.timeUs <= this.#lastUs;
    this.#lastUs = frame.timeUs;
    const lost = broken ? this.#tracker.clear() : [];
    const ended = this.#tracker.update(frame.timeUs, seen, looked);
    const { tracks } = this.#tracker;
    this.#publisher.publish(this.#objects.update(frame.timeUs, tracks, [...lost, ...ended]), frame);
    for (const track of tracks) {
      const best = this.#objects.scoreOf(track);
      if (best) this.#snapshots.offer(best.eventID, best.score, frame, frame.timeUs);
    }
  }

  #rest(): void {
    this.#publisher.publish(this.#objects.update(0, [], this.#tracker.rest()), undefined);
  }

  #chooseRegion(frame: Frame) {
    const base = croppedRegion(this.#settings.crop, frame);
    const moved = this.#motion.between(frame);
    this.#partial += 1;
    if (!this.#settings.whileMotion || this.#partial > partialLooks) {
      this.#partial = 0;
      return base;
    }
    const followed = this.#tracker.tracks.filter(({ parked }) => !parked).map(({ box }) => box);
    return regionAround(moved ? [moved, ...followed] : followed, base, frame);
  }
}

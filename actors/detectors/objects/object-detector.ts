import { randomText } from '../../../bus/base/random.ts';
import type { Frame } from '../../../bus/frames.ts';
import { leases } from '../../../bus/leases.ts';
import { commands, events, reports } from '../../../bus/subjects.ts';
import type { TfliteConfig } from '../../../store/monitors/monitor-config.ts';
import { snapshotEventID } from '../../../store/recordings/snapshots.ts';
import type { Detector } from '../detector-contract.ts';
import type { Slot } from './inference/fair-queue.ts';
import type { ModelSource } from './models/model-source.ts';
import type { ObjectDetectionResources, ObjectDetectorEnvironment } from './object-detection-resources.ts';
import { ObjectPublisher } from './object-publisher.ts';
import type { BoundingBox, DetectedBox } from './picture/bounding-box.ts';
import { Mask } from './picture/mask.ts';
import { MotionRegion } from './picture/motion-region.ts';
import { boxOf, croppedRegion, placeInPicture, regionAround } from './picture/region.ts';
import { BestSnapshots } from './snapshots/best-snapshots.ts';
import { ObjectLifecycle } from './tracking/object-lifecycle.ts';
import { Tracker } from './tracking/tracker.ts';

const source = 'tflite';
/** A model that could not be had, from a server that is down perhaps, is asked for again. */
const retryPauseMs = 60_000;
/** What is below the threshold by no more than this factor continues what was above. */
const followShare = 0.6;
/** What moves is told of again after so long at most, so that a recording goes on. */
const maxRenewalUs = 10_000_000;
/** For so many milliseconds after the last motion objects are looked for. */
const afterMotion = 5000;
/** After so many looks at a part of the picture comes one at the whole. */
const partialLooks = 4;
const reportPauseMs = 60_000;

/** Follows the objects in one monitor's pictures, and publishes an event when one appears or goes on moving. */
export class ObjectDetector implements Detector {
  readonly #environment: ObjectDetectorEnvironment;
  readonly #settings: TfliteConfig;
  readonly #objectDetection: ObjectDetectionResources;
  readonly #wanted: ReadonlyMap<string, number>;
  readonly #mask: Mask;
  readonly #tracker: Tracker;
  readonly #objects: ObjectLifecycle;
  readonly #pictures: BestSnapshots;
  readonly #publisher: ObjectPublisher;
  readonly #movement = new MotionRegion();
  readonly #lane: Slot<Frame>;
  readonly #unsubscribes: (() => void)[] = [];
  readonly #timers: NodeJS.Timeout[] = [];
  #model: ModelSource | undefined;
  #engine = '';
  #complaint = '';
  #retry: NodeJS.Timeout | undefined;
  #motionUntil = 0;
  #partial = 0;
  #lastUs = 0;
  #reported = 0;
  #stopped = false;

  constructor(environment: ObjectDetectorEnvironment, settings: TfliteConfig) {
    const { objectDetection } = environment;
    this.#environment = environment;
    this.#settings = settings;
    this.#objectDetection = objectDetection;
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
    this.#pictures = new BestSnapshots(
      (eventID, picture) => void objectDetection.keep(eventID, picture, environment.monitorID),
    );
    this.#publisher = new ObjectPublisher(environment, this.#pictures);
    this.#lane = objectDetection.turns.join<Frame>((frame) => this.#look(frame));
    void this.#open();
  }

  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    clearTimeout(this.#retry);
    for (const timer of this.#timers) clearInterval(timer);
    for (const unsubscribe of this.#unsubscribes) unsubscribe();
    this.#lane.leave();
    this.#publisher.publish(this.#objects.update(0, [], this.#tracker.clear()), undefined);
  }

  async #open(): Promise<void> {
    const { monitorID, log } = this.#environment;
    try {
      const { model, engine } = await this.#objectDetection.open(this.#settings.detectorName);
      if (this.#stopped) return;
      log.info(`${model.name}: runs on ${engine}`, monitorID);
      this.#complaint = '';
      this.#model = model;
      this.#engine = engine;
      this.#begin();
    } catch (error) {
      if (this.#stopped) return;
      this.#complain((error as Error).message);
      this.#retry = setTimeout(() => void this.#open(), retryPauseMs);
    }
  }

  #begin(): void {
    const { bus, frames, monitorID } = this.#environment;
    this.#unsubscribes.push(
      frames.subscribeFrames(monitorID, 'rgb', (frame) => {
        if (this.#isTime()) this.#lane.put(frame);
      }),
    );
    if (this.#settings.whileMotion) {
      this.#unsubscribes.push(bus.subscribe(events, [monitorID, 'motion'], () => this.#noticeMotion()));
    }
    this.#askForFrames();
    this.#report();
    this.#timers.push(
      setInterval(() => this.#askForFrames(), leases.frames.renewMs),
      setInterval(() => this.#report(), leases.detectorReport.renewMs),
    );
  }

  /** Once for each trouble, not for each attempt or picture. */
  #complain(message: string): void {
    const { log, monitorID } = this.#environment;
    if (message !== this.#complaint) log.error(message, monitorID);
    this.#complaint = message;
  }

  #report(): void {
    const { bus, monitorID } = this.#environment;
    bus.publish(reports, [monitorID, source], {
      monitorID,
      detector: source,
      model: this.#settings.detectorName,
      engine: this.#engine,
      skipped: this.#lane.skipped,
    });
  }

  /** Pictures are made, in colour, only while somebody looks at them. */
  #askForFrames(): void {
    const { bus, monitorID } = this.#environment;
    if (this.#isTime()) bus.publish(commands.frames, [monitorID], { format: 'rgb' });
    else this.#publisher.publish(this.#objects.update(0, [], this.#tracker.rest()), undefined);
  }

  #noticeMotion(): void {
    const before = this.#isTime();
    // Motion may be looked for rarely; it goes on from one event to the next.
    this.#motionUntil = Date.now() + afterMotion;
    if (!before) this.#askForFrames();
  }

  #isTime(): boolean {
    return !this.#settings.whileMotion || Date.now() < this.#motionUntil;
  }

  async #look(frame: Frame): Promise<void> {
    const model = this.#model;
    if (!model) return;
    const { inferenceWorker } = this.#objectDetection;
    const region = this.#chooseRegion(frame);
    const looked = boxOf(region, frame);
    let detections: readonly DetectedBox[];
    try {
      const picture = { width: frame.width, height: frame.height, data: frame.data };
      detections = await inferenceWorker.run<'look'>({
        type: 'look',
        source: model,
        picture,
        region,
        wanted: this.#wanted,
      });
      // The same trouble is worth another line when it comes back.
      this.#complaint = '';
    } catch (error) {
      this.#complain(`${model.name}: ${(error as Error).message}`);
      return;
    }
    if (this.#stopped) return;
    const seen = detections
      .map((detection) => ({ ...detection, box: placeInPicture(detection.box, looked) }))
      .filter(({ box }) => !this.#mask.hides(box));
    this.#follow(frame, seen, looked);
    this.#reportSkipped();
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
      if (best) this.#pictures.offer(best.eventID, best.score, frame, frame.timeUs);
    }
  }

  #chooseRegion(frame: Frame) {
    const base = croppedRegion(this.#settings.crop, frame);
    const moved = this.#movement.between(frame);
    this.#partial += 1;
    if (!this.#settings.whileMotion || this.#partial > partialLooks) {
      this.#partial = 0;
      return base;
    }
    const followed = this.#tracker.tracks.filter(({ parked }) => !parked).map(({ box }) => box);
    return regionAround(moved ? [moved, ...followed] : followed, base, frame);
  }

  #reportSkipped(): void {
    if (this.#lane.skipped === 0 || Date.now() - this.#reported < reportPauseMs) return;
    this.#reported = Date.now();
    this.#environment.log.info(
      `${this.#lane.skipped} pictures were not looked at so far, because newer ones came before their turn`,
      this.#environment.monitorID,
    );
  }
}

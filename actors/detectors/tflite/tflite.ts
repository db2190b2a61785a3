import { nuid } from '@nats-io/transport-node';
import type { Frame } from '../../../bus/frames.ts';
import { commands, events, reports } from '../../../bus/subjects.ts';
import type { TfliteConfig } from '../../../store/monitor-config.ts';
import { snapshotEventID } from '../../../store/snapshots.ts';
import type { Detector } from '../detector.ts';
import { BestPictures } from './best-pictures.ts';
import type { Box, Sighting } from './box.ts';
import { Mask } from './mask.ts';
import type { ModelSource } from './model-source.ts';
import { Movement } from './movement.ts';
import type { ObjectEnvironment, ObjectFinder } from './object-finder.ts';
import { ObjectPublisher } from './object-publisher.ts';
import { Objects } from './objects.ts';
import { boxOf, croppedRegion, placeInPicture, regionAround } from './region.ts';
import { Tracker } from './tracker.ts';
import type { Lane } from './turns.ts';

const source = 'tflite';
const renewal = 3000;
/** A model that could not be had, from a server that is down perhaps, is asked for again. */
const retryPause = 60_000;
/** What is below the threshold by no more than this factor continues what was above. */
const weakest = 0.6;
/** What moves is told of again after so many seconds, so that a recording goes on. */
const longestRenewal = 10;
/** For so many milliseconds after the last motion objects are looked for. */
const afterMotion = 5000;
/** After so many looks at a part of the picture comes one at the whole. */
const partialLooks = 4;
const reportPause = 60_000;

/** Follows the objects in one monitor's pictures, and publishes an event when one appears or goes on moving. */
export class TfliteDetector implements Detector {
  readonly #environment: ObjectEnvironment;
  readonly #settings: TfliteConfig;
  readonly #finder: ObjectFinder;
  readonly #wanted: ReadonlyMap<string, number>;
  readonly #mask: Mask;
  readonly #tracker: Tracker;
  readonly #objects: Objects;
  readonly #pictures: BestPictures;
  readonly #publisher: ObjectPublisher;
  readonly #movement = new Movement();
  readonly #lane: Lane<Frame>;
  readonly #unsubscribes: (() => void)[] = [];
  readonly #timers: NodeJS.Timeout[] = [];
  #model: ModelSource | undefined;
  #engine = '';
  #complaint = '';
  #retry: NodeJS.Timeout | undefined;
  #motionUntil = 0;
  #partial = 0;
  #last = 0n;
  #reported = 0;
  #stopped = false;

  constructor(environment: ObjectEnvironment, settings: TfliteConfig) {
    const { finder } = environment;
    this.#environment = environment;
    this.#settings = settings;
    this.#finder = finder;
    const thresholds = new Map(
      Object.entries(settings.thresholds).map(([label, percent]) => [label, percent / 100]),
    );
    this.#wanted = new Map([...thresholds].map(([label, least]) => [label, least * weakest]));
    this.#mask = new Mask(settings.mask);
    const period = settings.feedRate > 0 ? 1 / settings.feedRate : 0;
    this.#tracker = new Tracker({ thresholds, patience: Math.max(2, 3 * period) });
    this.#objects = new Objects({
      renewal: Math.min(longestRenewal, Math.max(1, settings.duration / 2)),
      newObjectID: () => nuid.next(),
      newEventID: () => snapshotEventID(Date.now()),
    });
    this.#pictures = new BestPictures(
      (eventID, picture) => void finder.keep(eventID, picture, environment.monitorID),
    );
    this.#publisher = new ObjectPublisher(environment, this.#pictures);
    this.#lane = finder.turns.join<Frame>((frame) => this.#look(frame));
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
      const { model, engine } = await this.#finder.open(this.#settings.detectorName);
      if (this.#stopped) return;
      log.info(`${model.name}: runs on ${engine}`, monitorID);
      this.#complaint = '';
      this.#model = model;
      this.#engine = engine;
      this.#begin();
    } catch (error) {
      if (this.#stopped) return;
      this.#complain((error as Error).message);
      this.#retry = setTimeout(() => void this.#open(), retryPause);
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
      setInterval(() => this.#askForFrames(), renewal),
      setInterval(() => this.#report(), renewal),
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
    const { workshop } = this.#finder;
    const region = this.#chooseRegion(frame);
    const looked = boxOf(region, frame);
    let sightings: readonly Sighting[];
    try {
      const picture = { width: frame.width, height: frame.height, data: frame.data };
      sightings = await workshop.do<'look'>({
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
    const seen = sightings
      .map((sighting) => ({ ...sighting, box: placeInPicture(sighting.box, looked) }))
      .filter(({ box }) => !this.#mask.hides(box));
    this.#follow(frame, seen, looked);
    this.#reportSkipped();
  }

  #follow(frame: Frame, seen: readonly Sighting[], looked: Box): void {
    // The clock was set back, or it is another connection's: what was before cannot be followed.
    const broken = frame.time <= this.#last;
    this.#last = frame.time;
    const time = Number(frame.time / 1000n) / 1e6;
    const lost = broken ? this.#tracker.clear() : [];
    const ended = this.#tracker.update(time, seen, looked);
    const { tracks } = this.#tracker;
    this.#publisher.publish(this.#objects.update(time, tracks, [...lost, ...ended]), frame);
    for (const track of tracks) {
      const best = this.#objects.scoreOf(track);
      if (best) this.#pictures.offer(best.eventID, best.score, frame, time);
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
    if (this.#lane.skipped === 0 || Date.now() - this.#reported < reportPause) return;
    this.#reported = Date.now();
    this.#environment.log.info(
      `${this.#lane.skipped} pictures were not looked at so far, because newer ones came before their turn`,
      this.#environment.monitorID,
    );
  }
}

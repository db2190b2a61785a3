import type { Frame } from '../../../bus/frames.ts';
import { objects } from '../../../bus/subjects.ts';
import { publishDetections } from '../detection-publisher.ts';
import type { DetectorEnvironment } from '../detector-contract.ts';
import type { BoundingBox } from './picture/bounding-box.ts';
import type { Picture } from './picture/scaler.ts';
import type { BestSnapshots } from './snapshots/best-snapshots.ts';
import type { ObjectUpdate } from './tracking/object-lifecycle.ts';

/** Tells the bus, and the log, of one monitor's objects. */
export class ObjectPublisher {
  readonly #environment: DetectorEnvironment;
  readonly #pictures: BestSnapshots;
  readonly #keep: (eventID: string, picture: Picture) => void;

  /**
   * @param pictures are finished for what is gone.
   * @param keep stores the picture of an event.
   */
  constructor(
    environment: DetectorEnvironment,
    pictures: BestSnapshots,
    keep: (eventID: string, picture: Picture) => void,
  ) {
    this.#environment = environment;
    this.#pictures = pictures;
    this.#keep = keep;
  }

  /** @param frame is the picture that the news are of. Without one only an end can be published. */
  publish(news: readonly ObjectUpdate[], frame: Frame | undefined): void {
    for (const one of news) {
      if (one.kind !== 'moving') this.#publishLife(one);
      if (one.kind === 'gone') this.#pictures.finish(one.firstEventID);
      else if (frame) this.#publishEvent(one, frame);
      this.#log(one);
    }
  }

  #publishLife({ kind, id, firstEventID, label, best, beginUs, seenUs }: ObjectUpdate): void {
    const { monitorID, outbox } = this.#environment;
    outbox.add(objects, [monitorID], {
      id,
      monitorID,
      label,
      start: beginUs,
      end: kind === 'gone' ? seenUs : null,
      score: best * 100,
      eventID: firstEventID,
    });
  }

  #publishEvent({ id, eventID, firstEventID, label, score, box }: ObjectUpdate, frame: Frame): void {
    const detections = [{ label, score: score * 100, box: inMillionths(box), object: id }];
    publishDetections(this.#environment, frame.timeUs, detections, eventID);
    // The first event's picture is the best one of the object's life.
    if (eventID !== firstEventID) this.#keep(eventID, frame);
  }

  /** Each trigger at debug, and at info when the object begins and ends to be seen. */
  #log({ kind, label, score, beginUs, seenUs }: ObjectUpdate): void {
    const { monitorID, log } = this.#environment;
    const scored = `${label}, score ${(score * 100).toFixed(1)}`;
    if (kind === 'gone') {
      log.info(`gone: ${label}, it was seen for ${((seenUs - beginUs) / 1e6).toFixed(1)} s`, monitorID);
      return;
    }
    if (kind === 'appeared') log.info(`appeared: ${scored}`, monitorID);
    log.debug(`trigger: ${scored}`, monitorID);
  }
}

function inMillionths({ left, top, right, bottom }: BoundingBox) {
  const millionths = (value: number) => Math.round(value * 1_000_000);
  return {
    x: millionths(left),
    y: millionths(top),
    width: millionths(right - left),
    height: millionths(bottom - top),
  };
}

import type { Frame } from '../../../bus/frames.ts';
import { events, objects } from '../../../bus/subjects.ts';
import type { ObjectDetectorEnvironment } from './object-detection-resources.ts';
import type { BoundingBox } from './picture/bounding-box.ts';
import type { BestSnapshots } from './snapshots/best-snapshots.ts';
import type { ObjectUpdate } from './tracking/object-lifecycle.ts';

const source = 'tflite';

/** Tells the bus, and the log, of one monitor's objects. */
export class ObjectPublisher {
  readonly #environment: ObjectDetectorEnvironment;
  readonly #pictures: BestSnapshots;

  /** @param pictures are finished for what is gone. */
  constructor(environment: ObjectDetectorEnvironment, pictures: BestSnapshots) {
    this.#environment = environment;
    this.#pictures = pictures;
  }

  /** @param frame is the picture that the news are of. Without one nothing but an end can be told. */
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
    const { monitorID, monitorName, outbox, objectDetection } = this.#environment;
    const detections = [{ label, score: score * 100, box: inMillionths(box), object: id }];
    const event = { id: eventID, monitorID, monitorName, source, time: frame.timeUs, detections };
    outbox.add(events, [monitorID, source], event, eventID);
    // The first event's picture is the best one of the object's life.
    if (eventID !== firstEventID) void objectDetection.keep(eventID, frame, monitorID);
  }

  #log({ kind, label, score }: ObjectUpdate): void {
    const { monitorID, log } = this.#environment;
    if (kind === 'gone') log.debug(`gone: ${label}`, monitorID);
    else log.debug(`${kind}: ${label}, score ${(score * 100).toFixed(1)}`, monitorID);
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

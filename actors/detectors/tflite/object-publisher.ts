import type { Frame } from '../../../bus/frames.ts';
import { events, objects } from '../../../bus/subjects.ts';
import { formatNanoseconds } from '../../../bus/time.ts';
import type { BestPictures } from './best-pictures.ts';
import type { Box } from './box.ts';
import type { ObjectEnvironment } from './object-finder.ts';
import type { News } from './objects.ts';

const source = 'tflite';

/** Tells the bus, and the log, of one monitor's objects. */
export class ObjectPublisher {
  readonly #environment: ObjectEnvironment;
  readonly #pictures: BestPictures;

  /** @param pictures are finished for what is gone. */
  constructor(environment: ObjectEnvironment, pictures: BestPictures) {
    this.#environment = environment;
    this.#pictures = pictures;
  }

  /** @param frame is the picture that the news are of. Without one nothing but an end can be told. */
  publish(news: readonly News[], frame: Frame | undefined): void {
    for (const one of news) {
      if (one.kind !== 'moving') this.#publishLife(one);
      if (one.kind === 'gone') this.#pictures.finish(one.firstEventID);
      else if (frame) this.#publishEvent(one, frame);
      this.#log(one);
    }
  }

  #publishLife({ kind, id, firstEventID, label, best, begin, seen }: News): void {
    const { monitorID, outbox } = this.#environment;
    outbox.add(objects, [monitorID], {
      id,
      monitorID,
      label,
      start: formatSeconds(begin),
      end: kind === 'gone' ? formatSeconds(seen) : null,
      score: best * 100,
      eventID: firstEventID,
    });
  }

  #publishEvent({ id, eventID, firstEventID, label, score, box }: News, frame: Frame): void {
    const { monitorID, monitorName, outbox, finder } = this.#environment;
    const time = formatNanoseconds(frame.time);
    const detections = [{ label, score: score * 100, box: inMillionths(box), object: id }];
    const event = { id: eventID, monitorID, monitorName, source, time, detections };
    outbox.add(events, [monitorID, source], event, eventID);
    // The first event's picture is the best one of the object's life.
    if (eventID !== firstEventID) void finder.keep(eventID, frame, monitorID);
  }

  #log({ kind, label, score }: News): void {
    const { monitorID, log } = this.#environment;
    if (kind === 'gone') log.debug(`gone: ${label}`, monitorID);
    else log.debug(`${kind}: ${label}, score ${(score * 100).toFixed(1)}`, monitorID);
  }
}

function inMillionths({ left, top, right, bottom }: Box) {
  const millionths = (value: number) => Math.round(value * 1_000_000);
  return {
    x: millionths(left),
    y: millionths(top),
    width: millionths(right - left),
    height: millionths(bottom - top),
  };
}

function formatSeconds(seconds: number): string {
  return formatNanoseconds(BigInt(Math.round(seconds * 1e6)) * 1000n);
}

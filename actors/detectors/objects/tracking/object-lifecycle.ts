import type { BoundingBox } from '../picture/bounding-box.ts';
import type { Track } from './tracker.ts';

/** The published state of one object. */
interface ObjectState {
  readonly id: string;
  /** The event that reported the object first. */
  readonly eventID: string;
  /** Time of the frame of the last published event. */
  publishedUs: number;
  score: number;
}

/** An event to publish: an object has appeared, is still moving, or is gone. */
export interface ObjectUpdate {
  readonly kind: 'appeared' | 'moving' | 'gone';
  readonly id: string;
  /** Id of the event to publish; for `gone`, the event that reported the object first. */
  readonly eventID: string;
  /** The event that reported the object first. */
  readonly firstEventID: string;
  readonly label: string;
  readonly box: BoundingBox;
  /** 0 to 1: in this frame, and the best so far. */
  readonly score: number;
  readonly best: number;
  /** Times of the first and the last detection. */
  readonly beginUs: number;
  readonly seenUs: number;
}

export interface ObjectLifecycleOptions {
  /** Period after which a moving object is published again. */
  readonly renewalUs: number;
  readonly newObjectID: () => string;
  readonly newEventID: () => string;
}

/**
 * Decides which events to publish about tracks: one when an object appears, and further ones from time to time while it
 * moves, so that a recording continues; none about a parked object until it moves.
 */
export class ObjectLifecycle {
  readonly #options: ObjectLifecycleOptions;
  readonly #lives = new Map<Track, ObjectState>();

  constructor(options: ObjectLifecycleOptions) {
    this.#options = options;
  }

  /** @param timeUs time of the frame. @param ended tracks that are no longer in `tracks`. */
  update(timeUs: number, tracks: readonly Track[], ended: readonly Track[]): ObjectUpdate[] {
    return [
      ...ended.flatMap((track) => this.#end(track)),
      ...tracks.flatMap((track) => this.#follow(timeUs, track)),
    ];
  }

  /** @returns the first event of a track's object and the score in the last frame, to choose its snapshot. */
  scoreOf(track: Track): { eventID: string; score: number } | undefined {
    const life = this.#lives.get(track);
    return life && track.detection && { eventID: life.eventID, score: track.detection.score };
  }

  #follow(timeUs: number, track: Track): ObjectUpdate[] {
    const { detection, strong, confirmed, parked } = track;
    if (!confirmed || !detection) return [];
    const life = this.#lives.get(track);
    if (life) {
      life.score = Math.max(life.score, detection.score);
      // A weak detection only continues the track: the user wants no event below the threshold.
      if (parked || !strong || timeUs - life.publishedUs < this.#options.renewalUs) return [];
      life.publishedUs = timeUs;
      return [this.#toUpdate('moving', track, life, this.#options.newEventID())];
    }
    const eventID = this.#options.newEventID();
    const born = { id: this.#options.newObjectID(), eventID, publishedUs: timeUs, score: detection.score };
    this.#lives.set(track, born);
    return [this.#toUpdate('appeared', track, born, eventID)];
  }

  #end(track: Track): ObjectUpdate[] {
    const life = this.#lives.get(track);
    this.#lives.delete(track);
    return life ? [this.#toUpdate('gone', track, life, life.eventID)] : [];
  }

  #toUpdate(kind: ObjectUpdate['kind'], track: Track, life: ObjectState, eventID: string): ObjectUpdate {
    const { label, box, beginUs, seenUs, detection } = track;
    return {
      kind,
      id: life.id,
      eventID,
      firstEventID: life.eventID,
      label,
      box: detection?.box ?? box,
      score: detection?.score ?? life.score,
      best: life.score,
      beginUs,
      seenUs,
    };
  }
}

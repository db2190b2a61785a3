import type { BoundingBox } from '../picture/bounding-box.ts';
import type { Track } from './tracker.ts';

/** One object's life, as far as it has been told. */
interface ObjectState {
  readonly id: string;
  /** The event that told of it first. */
  readonly eventID: string;
  /** The time of the frame of which it was last published. */
  publishedUs: number;
  score: number;
}

/** What there is to tell: that an object has appeared, that it is still moving, or that it is gone. */
export interface ObjectUpdate {
  readonly kind: 'appeared' | 'moving' | 'gone';
  readonly id: string;
  /** Names the event that is to be published; for what is gone, the one that told of it first. */
  readonly eventID: string;
  /** The event that told of it first. */
  readonly firstEventID: string;
  readonly label: string;
  readonly box: BoundingBox;
  /** 0 to 1: in this picture, and the best so far. */
  readonly score: number;
  readonly best: number;
  /** When it was first and last seen. */
  readonly beginUs: number;
  readonly seenUs: number;
}

export interface ObjectLifecycleOptions {
  /** What moves is published again after so long. */
  readonly renewalUs: number;
  readonly newObjectID: () => string;
  readonly newEventID: () => string;
}

/**
 * Makes of tracks what is worth telling: an object once when it appears, and again from time to time while it
 * moves, so that a recording goes on; nothing of what is parked, until it moves off.
 */
export class ObjectLifecycle {
  readonly #options: ObjectLifecycleOptions;
  readonly #lives = new Map<Track, ObjectState>();

  constructor(options: ObjectLifecycleOptions) {
    this.#options = options;
  }

  /** @param timeUs of the frame. @param ended are tracks that are in `tracks` no longer. */
  update(timeUs: number, tracks: readonly Track[], ended: readonly Track[]): ObjectUpdate[] {
    return [
      ...ended.flatMap((track) => this.#end(track)),
      ...tracks.flatMap((track) => this.#look(timeUs, track)),
    ];
  }

  /** What was last seen of each object, and of how well: for pictures. */
  scoreOf(track: Track): { eventID: string; score: number } | undefined {
    const life = this.#lives.get(track);
    return life && track.detection && { eventID: life.eventID, score: track.detection.score };
  }

  #look(timeUs: number, track: Track): ObjectUpdate[] {
    const { detection, strong, confirmed, parked } = track;
    if (!confirmed || !detection) return [];
    const life = this.#lives.get(track);
    if (life) {
      life.score = Math.max(life.score, detection.score);
      // A weak detection is for following only: the user asked for no event below the threshold.
      if (parked || !strong || timeUs - life.publishedUs < this.#options.renewalUs) return [];
      life.publishedUs = timeUs;
      return [this.#news('moving', track, life, this.#options.newEventID())];
    }
    const eventID = this.#options.newEventID();
    const born = { id: this.#options.newObjectID(), eventID, publishedUs: timeUs, score: detection.score };
    this.#lives.set(track, born);
    return [this.#news('appeared', track, born, eventID)];
  }

  #end(track: Track): ObjectUpdate[] {
    const life = this.#lives.get(track);
    this.#lives.delete(track);
    return life ? [this.#news('gone', track, life, life.eventID)] : [];
  }

  #news(kind: ObjectUpdate['kind'], track: Track, life: ObjectState, eventID: string): ObjectUpdate {
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

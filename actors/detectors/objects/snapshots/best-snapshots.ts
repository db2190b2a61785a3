import type { Picture } from '../picture/scaler.ts';

/** How much better a picture has to be to take the place of one while more may come. */
const gain = 0.03;
/** At least so much time lies between two pictures of one event. */
const pauseUs = 2_000_000;

interface Best {
  score: number;
  /** The score of the one that was kept, and when that was. */
  kept: number;
  keptAtUs: number;
  picture: Picture | undefined;
}

/**
 * Keeps, for each event, the picture with the best score: the first at once, a better one later.
 *
 * A picture is held here only until it is kept.
 */
export class BestSnapshots {
  readonly #best = new Map<string, Best>();
  readonly #keep: (eventID: string, picture: Picture) => void;

  constructor(keep: (eventID: string, picture: Picture) => void) {
    this.#keep = keep;
  }

  offer(eventID: string, score: number, picture: Picture, timeUs: number): void {
    const best = this.#best.get(eventID) ?? {
      score: 0,
      kept: Number.NEGATIVE_INFINITY,
      keptAtUs: 0,
      picture: undefined,
    };
    this.#best.set(eventID, best);
    if (score > best.score) {
      best.score = score;
      best.picture = picture;
    }
    const first = best.kept === Number.NEGATIVE_INFINITY;
    if (first || (best.score >= best.kept + gain && timeUs - best.keptAtUs >= pauseUs))
      this.#write(eventID, best, timeUs);
  }

  /** The event is over: no better picture will come. */
  finish(eventID: string): void {
    const best = this.#best.get(eventID);
    this.#best.delete(eventID);
    if (best) this.#write(eventID, best, 0);
  }

  #write(eventID: string, best: Best, timeUs: number): void {
    if (!best.picture) return;
    this.#keep(eventID, best.picture);
    best.picture = undefined;
    best.kept = best.score;
    best.keptAtUs = timeUs;
  }
}

import type { Picture } from '../picture/scaler.ts';

/** Increase of the score from which on a better frame replaces the snapshot of a running event. */
const minGain = 0.03;
/** The least time between two snapshots of one event. */
const minPauseUs = 2_000_000;

interface Best {
  score: number;
  /** Score and time of the snapshot kept last. */
  kept: number;
  keptAtUs: number;
  picture: Picture | undefined;
}

/**
 * Chooses the snapshot of each event: the first frame at once, later the ones with better scores.
 *
 * A frame is held in memory only until it is passed on.
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
    if (first || (best.score >= best.kept + minGain && timeUs - best.keptAtUs >= minPauseUs))
      this.#write(eventID, best, timeUs);
  }

  /** Keeps the best frame not kept yet; call it when the event has ended. */
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

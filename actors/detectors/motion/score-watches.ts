import type { Frame } from '../../../bus/frames.ts';
import type { ScoreAnswer, ScoreQuestion } from '../../../bus/messages.ts';
import { MotionZones } from './motion-zones.ts';

type Zones = ScoreQuestion['zones'];

interface Watch {
  readonly zones: Zones;
  prepared: { readonly zones: MotionZones; readonly width: number; readonly height: number } | undefined;
  scores: { last: number; peak: number }[];
  askedMs: number;
}

/** A question that is not asked again for so long is forgotten. */
const expireMs = 5000;
const maxWatches = 8;

/** Scores of zones that somebody is drawing: they are computed only while they are asked for. */
export class ScoreWatches {
  /** In the order in which they were asked for last. */
  readonly #watches = new Map<string, Watch>();

  /** The first question about these zones begins the watch: its answer is empty. */
  answer(zones: Zones): ScoreAnswer {
    const key = JSON.stringify(zones);
    const watch = this.#watches.get(key) ?? { zones, prepared: undefined, scores: [], askedMs: 0 };
    watch.askedMs = performance.now();
    this.#watches.delete(key);
    this.#watches.set(key, watch);
    const [oldest] = this.#watches.keys();
    if (this.#watches.size > maxWatches && oldest !== undefined) this.#watches.delete(oldest);
    const scores = watch.scores.map((score) => ({ ...score }));
    for (const score of watch.scores) score.peak = score.last;
    return { isRunning: true, scores };
  }

  /** Compares two gray frames of one size. */
  look(before: Frame, now: Frame): void {
    const { width, height } = now;
    for (const [key, watch] of this.#watches) {
      if (performance.now() - watch.askedMs > expireMs) {
        this.#watches.delete(key);
        continue;
      }
      if (watch.prepared?.width !== width || watch.prepared.height !== height) {
        const zones = watch.zones.map((zone) => ({
          ...zone,
          enable: true,
          thresholdMin: 0,
          thresholdMax: 100,
        }));
        watch.prepared = { zones: new MotionZones(zones, width, height), width, height };
      }
      const found = watch.prepared.zones.scores(before.data, now.data);
      watch.scores = watch.zones.map((_, index) => {
        // One without pixels has none.
        const last = found.get(`zone${index}`) ?? 0;
        return { last, peak: Math.max(last, watch.scores[index]?.peak ?? 0) };
      });
    }
  }
}

import { parseRecordingID } from '../../../bus/recording-id.ts';
import type { FragmentIndex } from '../fragments/fragment-index.ts';

/** Where one connection to a camera follows another, both may claim a moment. In microseconds. */
const minOverlapUs = 2_000_000;

/** Finds recordings of one stream that claim the same time: the clock was set back between them. */
export class RecordingOverlaps {
  /** Of each stream, the recording that reaches furthest, and to where: Unix time in microseconds. */
  readonly #furthest = new Map<string, { readonly id: string; readonly endUs: number }>();

  /**
   * Is called with one recording after the other, in the order of their ids.
   *
   * @returns a text that continues a sentence that begins with the id; undefined if it overlaps none before it, and for
   * recordings of older versions, which do not say their times.
   */
  add(id: string, { movie, fragments }: FragmentIndex): string | undefined {
    const name = parseRecordingID(id);
    const [startUs, last] = [fragments[0]?.timeUs, fragments.at(-1)];
    if (!name || startUs === undefined || last?.timeUs === undefined) return undefined;
    const stream = `${name.monitorID} ${name.stream}`;
    const endUs = last.timeUs + (last.duration * 1e6) / movie.video.ticksPerSecond;
    const before = this.#furthest.get(stream);
    if (!before || endUs > before.endUs) this.#furthest.set(stream, { id, endUs });
    const overlapUs = before ? Math.min(before.endUs, endUs) - startUs : 0;
    if (!before || overlapUs < minOverlapUs) return undefined;
    return `overlaps ${before.id} by ${(overlapUs / 1e6).toFixed(1)} s: the clock was set back`;
  }
}

import { containsPoint, type Point } from '../polygon.ts';
import type { BoundingBox } from './picture/bounding-box.ts';

const whole = 1_000_000;

/** The drawn area in which objects are ignored. */
export class Mask {
  readonly #area: readonly Point[];

  constructor({ enable, area }: { readonly enable: boolean; readonly area: readonly Point[] }) {
    this.#area = enable ? area : [];
  }

  /** Whether the centre is inside. */
  hides({ left, top, right, bottom }: BoundingBox): boolean {
    return containsPoint(this.#area, [((left + right) / 2) * whole, ((top + bottom) / 2) * whole]);
  }
}

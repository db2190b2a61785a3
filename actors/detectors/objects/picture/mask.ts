import type { TfliteConfig } from '../../../../store/monitors/monitor-config.ts';
import type { BoundingBox } from './bounding-box.ts';

const whole = 1_000_000;

/** The drawn area in which objects are ignored. */
export class Mask {
  readonly #area: TfliteConfig['mask']['area'];

  constructor({ enable, area }: TfliteConfig['mask']) {
    this.#area = enable ? area : [];
  }

  /** Whether the centre lies inside, by the even-odd rule. */
  hides({ left, top, right, bottom }: BoundingBox): boolean {
    const [x, y] = [((left + right) / 2) * whole, ((top + bottom) / 2) * whole];
    let inside = false;
    let before = this.#area.at(-1);
    for (const corner of this.#area) {
      const [x1, y1] = before ?? corner;
      const [x2, y2] = corner;
      if (y1 > y !== y2 > y && x < x1 + ((y - y1) * (x2 - x1)) / (y2 - y1)) inside = !inside;
      before = corner;
    }
    return inside;
  }
}

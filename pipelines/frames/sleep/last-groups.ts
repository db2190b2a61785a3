import { LastGroup } from '../../media/last-group.ts';
import type { DecoderUnit } from '../decoder-unit.ts';

/** The pictures since the last key frame but one, by reference: what was passed over can be decoded afterwards. */
export class LastGroups {
  #before: readonly DecoderUnit[] = [];
  readonly #group = new LastGroup<DecoderUnit>();

  /** The last key frame, and what came after it. */
  get group(): readonly DecoderUnit[] {
    return this.#group.units;
  }

  /** The group before, and the last one. */
  get both(): readonly DecoderUnit[] {
    return [...this.#before, ...this.#group.units];
  }

  push(unit: DecoderUnit): void {
    if (unit.keyFrame) this.#before = this.#group.units;
    this.#group.push(unit);
  }

  clear(): void {
    this.#before = [];
    this.#group.clear();
  }
}

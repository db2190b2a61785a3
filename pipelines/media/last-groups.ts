import { type GroupedPicture, LastGroup } from './last-group.ts';

/** The pictures since the last key frame but one, by reference: what was passed over can be decoded afterwards. */
export class LastGroups<Unit extends GroupedPicture> {
  #before: readonly Unit[] = [];
  readonly #group = new LastGroup<Unit>();

  /** The last key frame, and what came after it; empty when there was none, or too much since. */
  get group(): readonly Unit[] {
    return this.#group.units;
  }

  /** The group before, and the last one: pictures that follow each other. */
  get both(): readonly Unit[] {
    return this.group.length === 0 ? [] : [...this.#before, ...this.group];
  }

  push(unit: Unit): void {
    if (unit.keyFrame) this.#before = this.#group.units;
    this.#group.push(unit);
  }

  /** From now on there is none before the last one. */
  forgetBefore(): void {
    this.#before = [];
  }

  clear(): void {
    this.#before = [];
    this.#group.clear();
  }
}

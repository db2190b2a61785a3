/** The faults of the moment that leave a stream running, joined into one text for people. */
export class Troubles {
  readonly #onChange: (text: string | null) => void;
  readonly #texts = new Map<string, string>();

  /** @param onChange gets null when there is no fault. */
  constructor(onChange: (text: string | null) => void) {
    this.#onChange = onChange;
  }

  /** @param text null when this part's fault is over */
  set(part: string, text: string | null): void {
    if ((this.#texts.get(part) ?? null) === text) return;
    if (text === null) this.#texts.delete(part);
    else this.#texts.set(part, text);
    this.#onChange([...this.#texts.values()].join('; ') || null);
  }

  clear(): void {
    for (const part of [...this.#texts.keys()]) this.set(part, null);
  }
}

/** Of which monitors pictures arrive at this machine, and for how long there are none of those that it owns. */
export class ArrivingPictures {
  readonly #arriving = new Set<string>();
  readonly #missingSince = new Map<string, number>();

  set(id: string, arrive: boolean): void {
    if (arrive) this.#arriving.add(id);
    else this.#arriving.delete(id);
  }

  has(id: string): boolean {
    return this.#arriving.has(id);
  }

  /** To be called often: from when on pictures of a monitor are missing. */
  expect(id: string, isExpected: boolean, now: number): void {
    if (!isExpected || this.#arriving.has(id)) this.#missingSince.delete(id);
    else if (!this.#missingSince.has(id)) this.#missingSince.set(id, now);
  }

  /** Milliseconds without pictures that are expected. */
  missingMs(id: string, now: number): number {
    return now - (this.#missingSince.get(id) ?? now);
  }
}

import type { ModelSource } from './model-source.ts';

/** Models that crashed or blocked the inference thread; they are not loaded again for a while. */
export class ModelQuarantine {
  readonly #suspects = new Map<string, { readonly error: Error; readonly until: number }>();

  /** @param pause time in quarantine, in milliseconds. */
  add(model: ModelSource, error: Error, pause: number): void {
    this.#suspects.set(JSON.stringify(model), { error, until: performance.now() + pause });
  }

  /** @returns the error that put the model into quarantine; undefined if it is not in quarantine. */
  of(model: ModelSource): Error | undefined {
    const key = JSON.stringify(model);
    const suspect = this.#suspects.get(key);
    if (suspect && suspect.until > performance.now()) return suspect.error;
    this.#suspects.delete(key);
    return undefined;
  }
}

import type { ModelSource } from './model-source.ts';

/** Models that cost a thread, for as long as they are left alone. */
export class ModelQuarantine {
  readonly #suspects = new Map<string, { readonly error: Error; readonly until: number }>();

  /** @param pause in milliseconds. */
  add(model: ModelSource, error: Error, pause: number): void {
    this.#suspects.set(JSON.stringify(model), { error, until: performance.now() + pause });
  }

  /** @returns what went wrong with it a moment ago. */
  of(model: ModelSource): Error | undefined {
    const key = JSON.stringify(model);
    const suspect = this.#suspects.get(key);
    if (suspect && suspect.until > performance.now()) return suspect.error;
    this.#suspects.delete(key);
    return undefined;
  }
}

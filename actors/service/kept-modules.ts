import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';

/** The Node packages of the version of before: without them there is no way back while the registry cannot be reached. */
export class KeptModules {
  readonly #installed: string;
  readonly #kept: string;
  #isKept = false;

  /** @param project the clone. */
  constructor(project: string) {
    this.#installed = join(project, 'node_modules');
    this.#kept = join(project, '.cache', 'node_modules.before');
  }

  /** Puts them aside. Installing other packages would begin by deleting them. */
  async keep(): Promise<void> {
    await this.forget();
    await rename(this.#installed, this.#kept);
    this.#isKept = true;
  }

  /** Does nothing if they were not put aside. */
  async putBack(): Promise<void> {
    if (!this.#isKept) return;
    await rm(this.#installed, { recursive: true, force: true });
    await rename(this.#kept, this.#installed);
    this.#isKept = false;
  }

  async forget(): Promise<void> {
    await rm(this.#kept, { recursive: true, force: true });
  }
}

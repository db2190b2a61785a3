import { existsSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';

/** The Node packages of the version of before: without them there is no way back while the registry cannot be reached. */
export class KeptModules {
  readonly #installed: string;
  readonly #kept: string;

  /** @param project the clone. */
  constructor(project: string) {
    this.#installed = join(project, 'node_modules');
    this.#kept = join(project, '.cache', 'node_modules.before');
  }

  /** Puts them aside. Installing other packages would begin by deleting them. */
  async keep(): Promise<void> {
    await this.forget();
    await rename(this.#installed, this.#kept);
  }

  /** Does nothing if they were not put aside, by this process or by an update that was killed. */
  async putBack(): Promise<void> {
    if (!existsSync(this.#kept)) return;
    await rm(this.#installed, { recursive: true, force: true });
    await rename(this.#kept, this.#installed);
  }

  async forget(): Promise<void> {
    await rm(this.#kept, { recursive: true, force: true });
  }
}

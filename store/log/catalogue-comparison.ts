import { StoreError } from '../base/store-error.ts';
import type { CataloguePage, ComparedPage } from './schema/stored-recordings.ts';
import type { ComparisonQuestion } from './worker/all-machines.ts';
import type { LogClient } from './worker/log-client.ts';

export type { CataloguePage } from './schema/stored-recordings.ts';

/** The recordings that a machine has, and what another one knows of them. All of it @throws {StoreError} `io`. */
export class CatalogueComparison {
  readonly #log: LogClient | undefined;

  constructor(log: LogClient | undefined) {
    this.#log = log;
  }

  /** What this machine has, for another one: the recordings with ids after this one, those of `''` first. */
  page(after: string): Promise<CataloguePage> {
    return this.#thread.ask('cataloguePage', after);
  }

  /** The other machines whose streams do not say all of what they have: their catalogues have to be asked for. */
  due(): Promise<string[]> {
    return this.#thread.ask('uncompared', undefined);
  }

  /**
   * Adds what another machine has, and removes what it has no longer, as far as a page of its catalogue goes.
   *
   * @returns undefined if the page is newer than what was read of its stream here, or the comparison has to begin again.
   */
  compare(question: ComparisonQuestion): Promise<ComparedPage | undefined> {
    return this.#thread.ask('compare', question);
  }

  get #thread(): LogClient {
    if (!this.#log) throw new StoreError('io', 'the log is closed');
    return this.#log;
  }
}

import { setTimeout as sleep } from 'node:timers/promises';
import { type Backoff, backoffDelay } from '../../bus/base/backoff.ts';
import type { Log } from '../../bus/log.ts';
import type { LogStore } from '../../store/log/log-store.ts';
import type { Site } from '../state/site.ts';
import type { PeerRequests } from './peer-requests.ts';
import { askForCatalogue } from './peer-routes.ts';

export interface PeerCataloguesOptions {
  readonly site: Pick<Site, 'isAlive'>;
  readonly logs: Pick<LogStore, 'comparison'>;
  readonly peers: PeerRequests;
  readonly log: Log;
}

/** Whether another machine's catalogue has to be asked for is looked up so often. */
const lookMs = 2000;
/** After a machine did not answer, or is completing its catalogue. */
const pause: Backoff = { minMs: 1000, maxMs: 60_000 };
/** After so many failures, about a minute, it is logged. */
const toldAfter = 6;
/** A page may be newer than what was read of that machine's stream. */
const pageAttempts = 10;
const catchUpMs = 500;

/** Compares what other machines have with what is known of it here, one machine at a time, until their streams say all of it. */
export class PeerCatalogues {
  readonly #options: PeerCataloguesOptions;
  readonly #closing = new AbortController();
  /** Of machines whose catalogues could not be compared: how often in a row, and until when they are left alone. */
  readonly #failures = new Map<string, { readonly count: number; readonly untilMs: number }>();

  constructor(options: PeerCataloguesOptions) {
    this.#options = options;
    void this.#run();
  }

  close(): void {
    this.#closing.abort();
  }

  async #run(): Promise<void> {
    const { signal } = this.#closing;
    while (!signal.aborted) {
      for (const machine of await this.#due()) await this.#attempt(machine);
      await sleep(lookMs, undefined, { signal, ref: false }).catch(() => {});
    }
  }

  async #due(): Promise<string[]> {
    const { site, logs } = this.#options;
    // A log that does not answer is asked again.
    const due = await logs.comparison.due().catch(() => []);
    return due.filter(
      (machine) => site.isAlive(machine) && performance.now() >= (this.#failures.get(machine)?.untilMs ?? 0),
    );
  }

  async #attempt(machine: string): Promise<void> {
    try {
      await this.#compare(machine);
      this.#failures.delete(machine);
    } catch (error) {
      const count = (this.#failures.get(machine)?.count ?? 0) + 1;
      const text = `the recordings of ${machine} are not yet compared with what it has: ${(error as Error).message}`;
      if (count === toldAfter && !this.#closing.signal.aborted) this.#options.log.warning(text);
      const untilMs = performance.now() + backoffDelay(pause, count, Math.random());
      this.#failures.set(machine, { count, untilMs });
    }
  }

  /** @throws if it cannot be done now; what was compared until then stays. */
  async #compare(machine: string): Promise<void> {
    let [added, removed] = [0, 0];
    for (let after: string | undefined = ''; after !== undefined; ) {
      const compared = await this.#comparePage(machine, after);
      added += compared.added;
      removed += compared.removed;
      after = compared.next;
    }
    if (added + removed === 0) return;
    const text = `compared with what ${machine} has: ${added} of its recordings were not known, ${removed} it has no longer`;
    this.#options.log.info(text);
  }

  async #comparePage(machine: string, after: string) {
    const { logs, peers } = this.#options;
    const { signal } = this.#closing;
    for (let attempt = 1; attempt <= pageAttempts; attempt += 1) {
      const page = await askForCatalogue(peers, machine, after, signal);
      const compared = await logs.comparison.compare({ machine, after, page });
      if (compared) return compared;
      await sleep(catchUpMs, undefined, { signal, ref: false });
    }
    throw new Error(`the stream of ${machine} is not read yet`);
  }
}

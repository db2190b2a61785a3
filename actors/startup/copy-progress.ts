const intervalMs = 2000;

/** Reports how far a copy is, and ends it when the user asks for that. */
export class CopyProgress {
  readonly #verb: string;
  #reportedMs: number | undefined;
  #isInterrupted = false;
  readonly #interrupt = () => {
    this.#isInterrupted = true;
  };

  /** @param verb of the reports: `Copied`. */
  constructor(verb: string) {
    this.#verb = verb;
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, this.#interrupt);
  }

  /** @throws after a signal. */
  report(bytes: number, total: number): void {
    if (this.#isInterrupted) throw new Error('interrupted; nothing was changed');
    this.#reportedMs ??= Date.now();
    if (Date.now() - this.#reportedMs < intervalMs) return;
    this.#reportedMs = Date.now();
    process.stderr.write(`${this.#verb} ${Math.floor(bytes / 1e6)} of ${Math.ceil(total / 1e6)} MB\n`);
  }

  /** Signals have their usual effect again. */
  end(): void {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, this.#interrupt);
  }
}

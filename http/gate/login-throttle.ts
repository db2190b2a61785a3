/** Failures that cost nothing: people mistype. */
const freeFailures = 3;
const firstDelay = 1000;
const maxDelayMs = 300_000;
/** A quiet client is forgotten after this time past its last delay. */
const forgetAfter = 900_000;
const tableLimit = 4096;

interface Failures {
  count: number;
  /** No login is tried before this moment, in milliseconds of the clock. */
  until: number;
}

/** Slows down clients whose logins fail: the third failure costs a second, each further one twice as much. */
export class LoginThrottle {
  readonly #clients = new Map<string, Failures>();
  readonly #now: () => number;

  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** @returns for how many milliseconds this client must wait, 0 when it need not. */
  delay(client: string): number {
    return Math.max(0, (this.#clients.get(client)?.until ?? 0) - this.#now());
  }

  fail(client: string): void {
    const now = this.#now();
    const known = this.#clients.get(client);
    const count = known && known.until + forgetAfter > now ? known.count + 1 : 1;
    const delay = count < freeFailures ? 0 : Math.min(firstDelay * 2 ** (count - freeFailures), maxDelayMs);
    // Set anew, so that the map stays in the order of the last failure and the oldest goes first.
    this.#clients.delete(client);
    this.#clients.set(client, { count, until: now + delay });
    if (this.#clients.size <= tableLimit) return;
    const [oldest] = this.#clients.keys();
    if (oldest !== undefined) this.#clients.delete(oldest);
  }

  succeed(client: string): void {
    this.#clients.delete(client);
  }

  get size(): number {
    return this.#clients.size;
  }
}

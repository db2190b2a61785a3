/** The failure from which on a client is delayed: people mistype. */
const firstDelayedFailure = 3;
const firstDelayMs = 1000;
const maxDelayMs = 300_000;
/** A client's failures are forgotten this long after its last delay has ended. */
const forgetAfterMs = 900_000;
const tableLimit = 4096;

interface Failures {
  count: number;
  /** The user name of all of them; undefined: there were several. */
  username: string | undefined;
  /** Logins are refused before this moment, in milliseconds of the monotonic clock. */
  until: number;
}

/** Delays clients whose logins fail: 1 s after the third failure, doubled by each further one, 300 s at most. */
export class LoginThrottle {
  readonly #clients = new Map<string, Failures>();
  readonly #now: () => number;

  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** @returns milliseconds that this client must wait before its next login; 0 if none. */
  delay(client: string): number {
    return Math.max(0, (this.#clients.get(client)?.until ?? 0) - this.#now());
  }

  fail(client: string, username: string): void {
    const now = this.#now();
    const known = this.#clients.get(client);
    const count = known && known.until + forgetAfterMs > now ? known.count + 1 : 1;
    const delay =
      count < firstDelayedFailure
        ? 0
        : Math.min(firstDelayMs * 2 ** (count - firstDelayedFailure), maxDelayMs);
    // Inserted again, so that the map stays in the order of the last failure and the oldest is dropped first.
    this.#clients.delete(client);
    const isOther = count > 1 && known?.username !== username;
    this.#clients.set(client, { count, username: isOther ? undefined : username, until: now + delay });
    if (this.#clients.size <= tableLimit) return;
    const [oldest] = this.#clients.keys();
    if (oldest !== undefined) this.#clients.delete(oldest);
  }

  /** Forgives failures of the same user name alone: who has an account may not guess another one's password in between. */
  succeed(client: string, username: string): void {
    if (this.#clients.get(client)?.username === username) this.#clients.delete(client);
  }

  get size(): number {
    return this.#clients.size;
  }
}

import { setTimeout as sleep } from 'node:timers/promises';
import type { BrokerSession, Publication } from '../broker/broker-session.ts';
import { Announcement } from '../topics/announcement.ts';

export interface RollCallOptions {
  /** This one. */
  readonly machine: string;
  readonly prefix: string;
  /** Is called with what is certain of another machine. */
  readonly onOnline: (machine: string, isOnline: boolean) => void;
  /** Is called when another machine has said by mistake that this one is offline. */
  readonly onMissed: () => void;
}

/** A machine whose broker was restarted is back sooner. */
const patienceMs = 10_000;
const maxSilent = 64;
const [ask, answer] = ['ask', 'answer'];

/**
 * Which other machines are connected to the broker. A broker that comes back may remember one as `online` that has died
 * meanwhile, and has no last will of it any more: so machines that are only remembered are asked.
 */
export class RollCall {
  readonly #options: RollCallOptions;
  /** Those that are remembered, and have not answered over this connection. */
  readonly #silent = new Set<string>();
  readonly #answer: Announcement;
  #session: BrokerSession | undefined;
  #onAnswers = () => {};

  constructor(options: RollCallOptions) {
    this.#options = options;
    this.#answer = new Announcement(this.#said(answer), async (publication) =>
      this.#session?.publish(publication).catch(() => {}),
    );
  }

  /** Resolves when all who are remembered have answered, after 10 s at most; then the others are said to be offline. */
  async take(session: BrokerSession): Promise<void> {
    const { prefix, onOnline } = this.#options;
    this.#session = session;
    this.#silent.clear();
    await session.subscribe(`${prefix}/machine/+/available`).catch(() => {});
    try {
      // What is retained comes before the answer to the next question.
      await session.subscribe(`${prefix}/machine/+/alive`);
      await session.publish(this.#said(ask));
    } catch {
      // A broker that allows no questions is believed.
      if (this.#session === session) for (const machine of this.#silent) onOnline(machine, true);
      return;
    }
    const waiting = new AbortController();
    const { signal } = waiting;
    this.#onAnswers = () => waiting.abort();
    if (this.#silent.size > 0) await sleep(patienceMs, undefined, { signal, ref: false }).catch(() => {});
    if (this.#session !== session) return;
    for (const machine of this.#silent) {
      const topic = `${prefix}/machine/${machine}/available`;
      void session.publish({ topic, payload: 'offline', isRetained: true }).catch(() => {});
    }
  }

  /** A message on `machine/<name>/available` or `machine/<name>/alive`. */
  message(machine: string, what: string, payload: string, isRetained: boolean): void {
    const isOwn = machine === this.#options.machine;
    if (what === 'alive') {
      if (isOwn || isRetained) return;
      this.#know(machine, true);
      if (payload === ask) void this.#answer.announce();
    } else if (isOwn) {
      if (!isRetained && payload === 'offline') this.#options.onMissed();
    } else if (isRetained && payload === 'online') {
      if (this.#silent.size < maxSilent) this.#silent.add(machine);
    } else this.#know(machine, payload === 'online');
  }

  #know(machine: string, isOnline: boolean): void {
    this.#options.onOnline(machine, isOnline);
    if (this.#silent.delete(machine) && this.#silent.size === 0) this.#onAnswers();
  }

  #said(payload: string): Publication {
    const { prefix, machine } = this.#options;
    return { topic: `${prefix}/machine/${machine}/alive`, payload, isRetained: false };
  }
}

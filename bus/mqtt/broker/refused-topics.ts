import { nowUs } from '../../base/time.ts';

/** How many publications on a topic were set aside since the start, also if the broker accepts it again by now. */
export interface SetAside {
  readonly topic: string;
  readonly count: number;
}

/** A topic on which the broker refuses to be published. */
export interface RefusedTopic {
  readonly topic: string;
  readonly reason: string;
  /** Since when: Unix time in microseconds. */
  readonly since: number;
  /** Publications that were set aside since then. */
  readonly count: number;
}

const maxTopics = 1000;
/** Under this name all further topics are counted together. */
const others = 'others';

/** The topics that the broker refuses now, and how many publications were set aside because of it. */
export class RefusedTopics {
  readonly #topics = new Map<
    string,
    { reason: string; since: number; count: number; avoidedUntil?: number }
  >();
  /** By topic. It never falls, because monitoring adds up its differences. */
  readonly #setAside = new Map<string, number>();
  readonly #onRefused: (topic: string, reason: string) => void;

  constructor(onRefused: (topic: string, reason: string) => void) {
    this.#onRefused = onRefused;
  }

  list(): RefusedTopic[] {
    return [...this.#topics].map(([topic, { reason, since, count }]) => ({ topic, reason, since, count }));
  }

  /** What was set aside since the start. */
  setAside(): SetAside[] {
    return [...this.#setAside].map(([topic, count]) => ({ topic, count }));
  }

  has(topic: string): boolean {
    return this.#topics.has(topic);
  }

  count(topic: string, reason: string): void {
    if (this.#topics.has(topic)) return;
    if (this.#topics.size >= maxTopics) this.#topics.delete(this.#topics.keys().next().value ?? '');
    this.#topics.set(topic, { reason, since: nowUs(), count: 0 });
    this.#onRefused(topic, reason);
  }

  skipped(topic: string): void {
    const known = this.#topics.get(topic);
    if (known) known.count += 1;
    const isRoom = this.#setAside.has(topic) || this.#setAside.size < maxTopics;
    const name = isRoom ? topic : others;
    this.#setAside.set(name, (this.#setAside.get(name) ?? 0) + 1);
  }

  accepted(topic: string): void {
    if (this.#topics.size > 0) this.#topics.delete(topic);
  }

  /** A publication on this topic costs the connection: it is left alone for so many milliseconds. */
  avoid(topic: string, reason: string, forMs: number): void {
    this.count(topic, reason);
    const known = this.#topics.get(topic);
    if (known) known.avoidedUntil = performance.now() + forMs;
  }

  isAvoided(topic: string): boolean {
    const until = this.#topics.get(topic)?.avoidedUntil;
    return until !== undefined && performance.now() < until;
  }
}

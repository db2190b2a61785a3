import { nowUs } from '../../base/time.ts';

/** A topic on which the broker refuses to be published. */
export interface RefusedTopic {
  readonly topic: string;
  readonly reason: string;
  /** Since when: Unix time in microseconds. */
  readonly since: number;
  /** Publications that were set aside. */
  readonly count: number;
}

const maxTopics = 1000;

/** The topics that the broker refuses now, and how many publications were set aside because of it. */
export class RefusedTopics {
  readonly #topics = new Map<
    string,
    { reason: string; since: number; count: number; closingUntil?: number }
  >();
  readonly #onRefused: (topic: string, reason: string) => void;

  constructor(onRefused: (topic: string, reason: string) => void) {
    this.#onRefused = onRefused;
  }

  list(): RefusedTopic[] {
    return [...this.#topics].map(([topic, { reason, since, count }]) => ({ topic, reason, since, count }));
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
  }

  accepted(topic: string): void {
    if (this.#topics.size > 0) this.#topics.delete(topic);
  }

  /** The broker closes the connection on this topic: it is left alone for some time. */
  closesOn(topic: string, forMs: number): void {
    this.count(topic, 'the broker closes the connection on it');
    const known = this.#topics.get(topic);
    if (known) known.closingUntil = performance.now() + forMs;
  }

  isClosing(topic: string): boolean {
    const until = this.#topics.get(topic)?.closingUntil;
    return until !== undefined && performance.now() < until;
  }
}

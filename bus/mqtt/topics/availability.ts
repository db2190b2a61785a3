import type { Publication } from '../broker/broker-session.ts';

/** That the recorder is there: `online`, or `offline` by the broker's last will. */
export class Availability {
  readonly #topic: string;
  readonly #publish: (publication: Publication) => Promise<unknown>;
  #isWanted = false;
  #isUnderWay = false;

  constructor(topic: string, publish: (publication: Publication) => Promise<unknown>) {
    this.#topic = topic;
    this.#publish = publish;
  }

  get offline(): Publication & { readonly payload: string } {
    return { topic: this.#topic, payload: 'offline', isRetained: true };
  }

  /** Publishes that it is there, after all that was published before. However often the broker is back, one such message waits. */
  async announce(): Promise<void> {
    this.#isWanted = true;
    if (this.#isUnderWay) return;
    this.#isUnderWay = true;
    while (this.#isWanted) {
      this.#isWanted = false;
      await this.#publish({ topic: this.#topic, payload: 'online', isRetained: true });
    }
    this.#isUnderWay = false;
  }
}

import type { Publication } from '../broker/broker-session.ts';

/** What is published again whenever somebody may need it; however often that is, one such message waits. */
export class Announcement {
  readonly #publication: Publication;
  readonly #publish: (publication: Publication) => Promise<unknown>;
  #isWanted = false;
  #isUnderWay = false;

  /** @param publish resolves when it is published, or will not be. */
  constructor(publication: Publication, publish: (publication: Publication) => Promise<unknown>) {
    this.#publication = publication;
    this.#publish = publish;
  }

  /** Publishes it after all that was published before. */
  async announce(): Promise<void> {
    this.#isWanted = true;
    if (this.#isUnderWay) return;
    this.#isUnderWay = true;
    while (this.#isWanted) {
      this.#isWanted = false;
      await this.#publish(this.#publication);
    }
    this.#isUnderWay = false;
  }
}

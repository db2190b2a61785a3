import type { Publication } from '../broker/broker-session.ts';
import { LaterTry } from './later-try.ts';

/** What is published again whenever somebody may need it; however often that is, one such message waits. */
export class Announcement {
  readonly #publication: Publication;
  readonly #publish: (publication: Publication) => Promise<unknown>;
  readonly #laterTry: LaterTry;
  #isWanted = false;
  #isUnderWay = false;

  /**
   * @param publish resolves when it is published, or will not be: with `refused`, if the broker refuses it.
   * @param isTriedAgain asked 30 to 60 s after that.
   */
  constructor(
    publication: Publication,
    publish: (publication: Publication) => Promise<unknown>,
    isTriedAgain: () => boolean = () => false,
  ) {
    this.#publication = publication;
    this.#publish = publish;
    this.#laterTry = new LaterTry(() => {
      if (isTriedAgain()) void this.announce();
    });
  }

  /** Publishes it after all that was published before. */
  async announce(): Promise<void> {
    this.#isWanted = true;
    if (this.#isUnderWay) return;
    this.#isUnderWay = true;
    while (this.#isWanted) {
      this.#isWanted = false;
      const outcome = await this.#publish(this.#publication);
      if (outcome === 'refused') this.#laterTry.ask();
    }
    this.#isUnderWay = false;
  }

  /** What was refused is not tried again. */
  close(): void {
    this.#laterTry.close();
  }
}

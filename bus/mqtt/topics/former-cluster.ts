import type { BrokerSession } from '../broker/broker-session.ts';
import type { Membership } from './topic-record.ts';

/** What the broker knows of the other machines of a cluster that this one has left. */
export class FormerCluster {
  readonly #membership: Membership;
  readonly #online = new Set<string>();

  constructor(membership: Membership) {
    this.#membership = membership;
  }

  /** Whether another machine of it is connected to the broker. @throws if the broker does not answer. */
  async isThere(session: BrokerSession): Promise<boolean> {
    const filter = `${this.#membership.prefix}/machine/+/available`;
    // What is retained comes before the answer to the next question.
    for (const topic of [filter, filter]) await session.subscribe(topic);
    return this.#online.size > 0;
  }

  message(topic: string, payload: Buffer): void {
    const { prefix, machine } = this.#membership;
    if (!topic.startsWith(`${prefix}/machine/`)) return;
    const [name = '', what] = topic.slice(`${prefix}/machine/`.length).split('/');
    if (what !== 'available' || name === machine) return;
    if (payload.toString() === 'online') this.#online.add(name);
    else this.#online.delete(name);
  }
}

import { expect, test } from 'vitest';
import type { BrokerSession, Publication } from '../../../../bus/mqtt/broker/broker-session.ts';
import { PublicationQueue } from '../../../../bus/mqtt/broker/publication-queue.ts';

/** Takes all that is published, and confirms it only if it is said to. */
function session(sent: string[], confirms: boolean): BrokerSession {
  const publish = ({ payload }: Publication) => {
    sent.push(String(payload));
    return confirms ? Promise.resolve() : new Promise(() => {});
  };
  return { maxInFlight: 10, publish } as unknown as BrokerSession;
}

test('what comes before all that waits comes after what was under way when the connection was lost', async () => {
  const queue = new PublicationQueue(() => {});
  const publication = (payload: string) => ({ topic: 'events', payload, isRetained: false });
  const [first, second]: [string[], string[]] = [[], []];
  queue.attach(session(first, false));
  void queue.add(publication('sent'));
  queue.detach();
  const last = queue.add(publication('waits'));
  queue.addFirst([publication('held'), publication('held too')]);
  queue.attach(session(second, true));
  await last;
  queue.close();
  expect([first, second]).toEqual([['sent'], ['sent', 'held', 'held too', 'waits']]);
});

import { expect, test } from 'vitest';
import type { BrokerSession, Outcome, Publication } from '../../../../bus/mqtt/broker/broker-session.ts';
import { PublicationQueue } from '../../../../bus/mqtt/broker/publication-queue.ts';

/** Takes all that is published, and confirms it only if it is said to. */
function session(sent: string[], confirms: boolean): BrokerSession {
  const publish = ({ payload }: Publication) => {
    sent.push(String(payload));
    return confirms ? Promise.resolve() : new Promise(() => {});
  };
  return { maxInFlight: 10, publish } as unknown as BrokerSession;
}

const publication = (payload: string) => ({ topic: 'events', payload, isRetained: false });

test('what comes before all that waits comes after what was under way when the connection was lost', async () => {
  const queue = new PublicationQueue(() => {});
  const [first, second]: [string[], string[]] = [[], []];
  queue.attach(session(first, false));
  void queue.add(publication('sent'));
  queue.detach();
  const last = queue.add(publication('waits'));
  const held = queue.addFirst([publication('held'), publication('held too')]);
  queue.attach(session(second, true));
  await Promise.all([...held, last]);
  queue.close();
  expect([first, second]).toEqual([['sent'], ['sent', 'held', 'held too', 'waits']]);
});

test('what is not wanted yet is left out, and ends as it is settled later; nothing waits for it', async () => {
  const queue = new PublicationQueue(() => {});
  const sent: string[] = [];
  let settle: (outcome: Outcome) => void = () => {};
  const settled = new Promise<Outcome>((resolve) => {
    settle = resolve;
  });
  queue.attach(session(sent, true));
  const held = queue.add({ ...publication('held'), isWanted: () => settled });
  expect(await queue.add(publication('next'))).toBe('delivered');
  expect(sent).toEqual(['next']);
  const [again] = queue.addFirst([publication('held')]);
  settle((await again) ?? 'refused');
  expect(await held).toBe('delivered');
  expect(await queue.add({ ...publication('left'), isWanted: () => false })).toBe('refused');
  queue.close();
  expect(sent).toEqual(['next', 'held']);
});

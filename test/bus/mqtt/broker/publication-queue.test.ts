import { expect, test, vi } from 'vitest';
import {
  answerTimeoutMs,
  type BrokerSession,
  type Outcome,
  type Publication,
} from '../../../../bus/mqtt/broker/broker-session.ts';
import { PublicationQueue } from '../../../../bus/mqtt/broker/publication-queue.ts';
import { atEnd } from '../../../support/cleanup.ts';

/** Takes all that is published, and confirms it where it is said to. */
function session(sent: string[], confirms: (topic: string) => boolean): BrokerSession {
  const publish = ({ topic, payload }: Publication) => {
    sent.push(String(payload));
    return confirms(topic) ? Promise.resolve() : new Promise(() => {});
  };
  return { maxInFlight: 10, publish } as unknown as BrokerSession;
}

const publication = (payload: string, topic = 'events') => ({ topic, payload, isRetained: false });

test('what comes before all that waits comes after what was under way when the connection was lost', async () => {
  const queue = new PublicationQueue(() => {});
  const [first, second]: [string[], string[]] = [[], []];
  queue.attach(session(first, () => false));
  void queue.add(publication('sent'));
  queue.detach();
  const last = queue.add(publication('waits'));
  const held = queue.addFirst([publication('held'), publication('held too')]);
  queue.attach(session(second, () => true));
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
  queue.attach(session(sent, () => true));
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

test('a topic that the broker never confirms is set aside after three tries; the others come between them', async () => {
  vi.useFakeTimers();
  atEnd(async () => void vi.useRealTimers());
  const complaints: string[] = [];
  const queue = new PublicationQueue((topic, reason) => complaints.push(`${topic}: ${reason}`));
  const sent: string[] = [];
  const outcomes: string[] = [];
  const add = async (payload: string, topic: string) => {
    outcomes.push(`${payload} ${await queue.add(publication(payload, topic))}`);
  };
  /** As long as a connection lasts that ends with what is not confirmed. */
  const connect = async (ms: number) => {
    queue.attach(session(sent, (topic) => topic !== 'lost'));
    await vi.advanceTimersByTimeAsync(ms);
    queue.detach();
  };
  void add('lost 1', 'lost');
  void add('good 1', 'good');
  await connect(answerTimeoutMs);
  void add('lost 2', 'lost');
  void add('good 2', 'good');
  // The first try alone.
  await connect(answerTimeoutMs);
  expect(sent.splice(0)).toEqual(['lost 1', 'good 1', 'lost 1']);
  for (const name of ['good 3', 'good 4']) {
    await connect(2 * answerTimeoutMs);
    void add(name, 'good');
  }
  expect(sent.splice(0)).toEqual(['good 2', 'lost 1', 'good 3', 'lost 1']);
  await connect(0);
  expect(sent).toEqual(['good 4']);
  expect(complaints).toEqual(['lost: the broker does not confirm it']);
  expect(queue.refused).toMatchObject([{ topic: 'lost', count: 2 }]);
  const delivered = ['good 1', 'good 2', 'good 3', 'good 4'].map((payload) => `${payload} delivered`);
  expect(outcomes.sort()).toEqual([...delivered, 'lost 1 refused', 'lost 2 refused']);
  queue.close();
});

test('a broker that confirms nothing for minutes loses nothing', async () => {
  vi.useFakeTimers();
  atEnd(async () => void vi.useRealTimers());
  const complaints: string[] = [];
  const queue = new PublicationQueue((topic) => complaints.push(topic));
  const outcomes: Promise<Outcome>[] = ['a', 'b'].map((topic) => queue.add(publication(topic, topic)));
  for (let connection = 1; connection <= 20; connection += 1) {
    queue.attach(session([], () => false));
    await vi.advanceTimersByTimeAsync(2 * answerTimeoutMs);
    queue.detach();
  }
  queue.attach(session([], () => true));
  await vi.advanceTimersByTimeAsync(2 * answerTimeoutMs);
  expect(await Promise.all(outcomes)).toEqual(['delivered', 'delivered']);
  expect(complaints).toEqual([]);
  queue.close();
});

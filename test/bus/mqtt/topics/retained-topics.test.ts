import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Outcome } from '../../../../bus/mqtt/broker/broker-session.ts';
import { RetainedTopics } from '../../../../bus/mqtt/topics/retained-topics.ts';
import { TopicRecord } from '../../../../bus/mqtt/topics/topic-record.ts';

const seconds = (count: number) => vi.advanceTimersByTimeAsync(count * 1000);

beforeEach(() => {
  vi.useFakeTimers();
  // The pause is 45 s.
  vi.spyOn(Math, 'random').mockReturnValue(0.5);
});

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

/** At a broker that is connected, and refuses all until it is said to accept. */
async function atRefusingBroker() {
  const published: string[] = [];
  let outcome: Outcome = 'refused';
  const publish = async ({ topic, payload }: { topic: string; payload: string | Uint8Array }) => {
    published.push(`${topic} ${payload}`);
    return outcome;
  };
  const topics = new RetainedTopics(await TopicRecord.open(undefined), publish);
  await topics.connected();
  const accept = () => {
    outcome = 'delivered';
  };
  return { topics, published, accept };
}

test('a state that the broker refuses is published again after a pause, until it is accepted', async () => {
  const { topics, published, accept } = await atRefusingBroker();
  topics.set('state', 'ON');
  await seconds(44);
  expect(published.splice(0)).toEqual(['state ON']);
  await seconds(2);
  expect(published.splice(0)).toEqual(['state ON']);
  accept();
  await seconds(45);
  expect(published.splice(0)).toEqual(['state ON']);
  await seconds(600);
  expect(published).toEqual([]);
  expect(vi.getTimerCount()).toBe(0);
});

test('a topic whose clearing the broker refuses is cleared later', async () => {
  const { topics, published, accept } = await atRefusingBroker();
  topics.set('state', 'ON');
  await seconds(1);
  topics.clear('state');
  await seconds(1);
  accept();
  await seconds(45);
  expect(published).toEqual(['state ON', 'state ', 'state ']);
  expect(topics.known).toEqual([]);
});

test('what was refused is not published once another machine does', async () => {
  const { topics, published } = await atRefusingBroker();
  topics.set('state', 'ON');
  await seconds(1);
  topics.leave('state');
  await seconds(600);
  expect(published).toEqual(['state ON']);
});

test('of many topics that the broker refuses some are tried again at a time, and none after the end', async () => {
  const { topics, published } = await atRefusingBroker();
  const names = Array.from({ length: 500 }, (_, n) => `topic${n}`);
  for (const name of names) topics.set(name, 'ON');
  await seconds(46);
  expect(published).toHaveLength(700);
  await seconds(90);
  expect(published).toHaveLength(1100);
  expect(new Set(published.slice(500)).size).toBe(500);
  topics.close();
  expect(vi.getTimerCount()).toBe(0);
});

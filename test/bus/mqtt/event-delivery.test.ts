import { expect, test } from 'vitest';
import { nowUs } from '../../../bus/base/time.ts';
import type { DetectionEvent } from '../../../bus/messages.ts';
import type { Outcome } from '../../../bus/mqtt/broker/broker-session.ts';
import { Deliveries } from '../../../bus/mqtt/delivery-reports.ts';
import { EventDelivery } from '../../../bus/mqtt/event-delivery.ts';
import type { Bus } from '../../../bus/nats/bus.ts';
import { ensureStreams } from '../../../bus/nats/jetstream.ts';
import { events } from '../../../bus/subjects.ts';
import { silentLogger, startTestBus } from '../../support/bus.ts';
import { atEnd } from '../../support/cleanup.ts';
import { startForgetfulBus } from '../../support/forgetful-bus.ts';
import { waitFor } from '../../support/wait.ts';

function store(bus: Bus, id: string): Promise<void> {
  const event: DetectionEvent = {
    ...{ id, monitorID: 'door', monitorName: 'door', source: 'motion', time: nowUs() },
    detections: [{ label: 'zone0', score: 50 }],
  };
  return bus.store(events, ['door', 'motion'], event, id);
}

/** Holds the events for which this is true, until they are settled, and publishes the others at once. */
async function startDelivery(bus: Bus, isHeld: (id: string) => boolean) {
  const asked: string[] = [];
  const published: string[] = [];
  const settle = new Map<string, (outcome: Outcome) => void>();
  const publish = ({ id }: DetectionEvent): Outcome | Promise<Outcome> => {
    asked.push(id);
    if (!isHeld(id)) {
      published.push(id);
      return 'delivered';
    }
    const settled = new Promise<Outcome>((resolve) => settle.set(id, resolve));
    delivery.hold(id);
    return settled;
  };
  const publisher = { publish: async (event: DetectionEvent) => publish(event), maxHeld: 2000 };
  const reports = new Deliveries(bus, 'mqtt');
  const delivery = new EventDelivery(bus, publisher, reports, silentLogger().source('mqtt'));
  const close = async () => {
    await delivery.close(1000);
    await reports.close();
  };
  atEnd(close);
  // The reader is there: it begins with what is stored from now on.
  await delivery.backlog();
  return { asked, published, settle, delivery, close };
}

const ids = (count: number, name: string) => Array.from({ length: count }, (_, index) => `${name}${index}`);

test('events that are held let the others pass, and do not count as waiting for the broker', async () => {
  const { bus } = await startTestBus();
  const { published, settle, delivery } = await startDelivery(bus, (id) => id.startsWith('held'));
  for (const id of [...ids(600, 'held'), 'other']) await store(bus, id);
  await waitFor(async () => published.length === 1, 10_000, 'the event after those that are held');
  expect(settle.size).toBe(600);
  expect(await delivery.backlog()).toEqual({ length: 0, oldest: null, lost: 0 });
});

test('an event that is held when the process ends comes again, and all after it', async () => {
  const { bus } = await startTestBus();
  const before = await startDelivery(bus, (id) => id.startsWith('held'));
  for (const id of ['first', 'held0', 'second', 'held1', 'third']) await store(bus, id);
  await waitFor(async () => before.published.length === 3, 10_000, 'the events that are not held');
  before.settle.get('held1')?.('refused');
  await before.close();
  const { published } = await startDelivery(bus, () => false);
  await store(bus, 'last');
  await waitFor(async () => published.at(-1) === 'last', 10_000, 'the last event');
  expect(published).toEqual(['held0', 'second', 'held1', 'third', 'last']);
});

test('once what was held is settled, nothing comes again', async () => {
  const { bus } = await startTestBus();
  const before = await startDelivery(bus, (id) => id.startsWith('held'));
  for (const id of ['held0', 'second', 'held1']) await store(bus, id);
  await waitFor(async () => before.settle.size === 2, 10_000, 'the events to be held');
  for (const settle of before.settle.values()) settle('delivered');
  await before.close();
  const { published } = await startDelivery(bus, () => false);
  await store(bus, 'last');
  await waitFor(async () => published.length > 0, 10_000, 'the last event');
  expect(published).toEqual(['last']);
});

test('after a restart of the bus, what was published does not come again, and what is held keeps its place', async () => {
  const { bus, server } = await startTestBus();
  const before = await startDelivery(bus, (id) => id.startsWith('held'));
  for (const id of ['held0', 'second', 'held1']) await store(bus, id);
  await waitFor(async () => before.settle.size === 2, 10_000, 'the events to be held');
  process.kill(server.pid, 'SIGKILL');
  await waitFor(() => store(bus, 'third').then(() => true), 20_000, 'the bus to be back');
  await waitFor(async () => before.published.at(-1) === 'third', 20_000, 'the event after it');
  expect(before.asked).toEqual(['held0', 'second', 'held1', 'third']);
  expect((await before.delivery.backlog()).length).toBe(0);
  before.settle.get('held0')?.('delivered');
  await before.close();
  const { published } = await startDelivery(bus, () => false);
  await waitFor(async () => published.length === 2, 10_000, 'what is not settled, and what follows it');
  expect(published).toEqual(['held1', 'third']);
});

test('the events of a stream that was made anew are published, although their numbers were those of others', async () => {
  const { bus, server } = await startTestBus();
  const { published } = await startDelivery(bus, () => false);
  for (const id of ids(3, 'old')) await store(bus, id);
  await waitFor(async () => published.length === 3, 10_000, 'the events of the old stream');
  const manager = await bus.jetStream.manager;
  await manager.streams.delete('EVENTS');
  await ensureStreams(bus);
  await store(bus, 'new');
  process.kill(server.pid, 'SIGKILL');
  await waitFor(async () => published.length === 4, 20_000, 'the new event');
  expect(published).toEqual([...ids(3, 'old'), 'new']);
});

test('events with the numbers of those that a power cut has taken are published', async () => {
  const { bus, server, remember } = await startForgetfulBus();
  const { published, delivery } = await startDelivery(bus, () => false);
  await store(bus, 'kept');
  await waitFor(async () => published.length === 1, 10_000, 'the first event');
  remember();
  for (const id of ids(3, 'lost')) await store(bus, id);
  await waitFor(async () => published.length === 4, 10_000, 'the other events');
  process.kill(server.pid, 'SIGKILL');
  await waitFor(() => store(bus, 'new').then(() => true), 20_000, 'the bus to be back');
  await waitFor(async () => published.length === 5, 20_000, 'the new event');
  expect(published).toEqual(['kept', ...ids(3, 'lost'), 'new']);
  await waitFor(async () => (await delivery.backlog()).length === 0, 5000, 'nothing to wait');
});

import { expect, onTestFinished, test, vi } from 'vitest';
import { createActor, setup } from 'xstate';
import { detectionsActor } from '../../actors/pipeline-actors.ts';
import { nowUs } from '../../bus/base/time.ts';
import type { DetectionEvent } from '../../bus/messages.ts';
import type { Bus } from '../../bus/nats/bus.ts';
import { events } from '../../bus/subjects.ts';
import { startTestBus } from '../support/bus.ts';
import { atEnd } from '../support/cleanup.ts';
import { waitFor } from '../support/wait.ts';

const eventAt = (time: number, id: string): DetectionEvent => ({
  id,
  monitorID: 'door',
  monitorName: 'Door',
  source: 'motion',
  time,
  detections: [{ label: 'zone0', score: 50 }],
});

/** Until when the door is to be recorded, for 60 s after each event: as `performance.now()`, in microseconds. */
function listenTo(bus: Bus): readonly number[] {
  const heard: number[] = [];
  const listener = setup({
    types: { events: {} as { type: 'detected'; until: number } },
    actors: {
      detections: detectionsActor(
        () => bus,
        ['motion', 'tflite'],
        () => 60,
      ),
    },
    actions: { hear: (_, { until }: { until: number }) => void heard.push(until) },
  }).createMachine({
    invoke: { src: 'detections', input: { monitorID: 'door' } },
    on: { detected: { actions: { type: 'hear', params: ({ event }) => event } } },
  });
  const actor = createActor(listener).start();
  atEnd(async () => void actor.stop());
  return heard;
}

test('detections made before the start, or while the bus was unreachable, still count', async () => {
  const { server, bus } = await startTestBus();
  const [time, began] = [nowUs(), performance.now() * 1000];
  await bus.store(events, ['door', 'motion'], eventAt(time - 9e6, 'older'), 'older');
  await bus.store(events, ['door', 'motion'], eventAt(time, 'newest'), 'newest');
  await bus.store(events, ['gate', 'motion'], eventAt(time + 5e6, 'other'), 'other');
  const heard = listenTo(bus);
  await waitFor(() => heard.length === 1, 5000, 'the last event');
  server.restart();
  await waitFor(() => heard.length === 2, 10_000, 'the last event, once more');
  const other = { ...eventAt(time - 2e6, 'new'), source: 'tflite' };
  await bus.store(events, ['door', 'tflite'], other, 'new');
  await waitFor(() => heard.length === 3, 5000, 'an event that comes');
  // Two clocks that are read one after the other agree to some milliseconds.
  expect(heard.map((until) => Math.round((until - began) / 1e5) / 10)).toEqual([60, 60, 58]);
});

test.each([
  ['an hour', 3_600_000],
  ['ten days', 864_000_000],
])(
  'what is seen after the clock was set back by %s is recorded longer than what was seen before',
  async (_, backMs) => {
    const { bus } = await startTestBus();
    await bus.store(events, ['door', 'motion'], eventAt(nowUs(), 'before'), 'before');
    const heard = listenTo(bus);
    await waitFor(() => heard.length === 1, 5000, 'the last event');
    const { now } = Date;
    const wall = vi.spyOn(Date, 'now').mockImplementation(() => now() - backMs);
    onTestFinished(() => void wall.mockRestore());
    await bus.store(events, ['door', 'motion'], eventAt(nowUs(), 'after'), 'after');
    await waitFor(() => heard.length === 2, 5000, 'an event that comes');
    const [before = 0, after = 0] = heard;
    expect(after).toBeGreaterThan(before);
  },
);

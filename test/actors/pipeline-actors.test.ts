import { expect, test } from 'vitest';
import { createActor, setup } from 'xstate';
import { detectionsActor } from '../../actors/pipeline-actors.ts';
import { nowUs } from '../../bus/base/time.ts';
import type { DetectionEvent } from '../../bus/messages.ts';
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

test('detections made before the start, or while the bus was unreachable, still count', async () => {
  const { server, bus } = await startTestBus();
  const time = nowUs();
  await bus.store(events, ['door', 'motion'], eventAt(time - 9e6, 'older'), 'older');
  await bus.store(events, ['door', 'motion'], eventAt(time, 'newest'), 'newest');
  await bus.store(events, ['gate', 'motion'], eventAt(time + 5e6, 'other'), 'other');
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
  await waitFor(() => heard.length === 1, 5000, 'the last event');
  server.restart();
  await waitFor(() => heard.length === 2, 10_000, 'the last event, once more');
  expect(heard).toEqual([time + 60e6, time + 60e6]);
  await bus.store(events, ['door', 'tflite'], { ...eventAt(time - 1, 'new'), source: 'tflite' }, 'new');
  await waitFor(() => heard.length === 3, 5000, 'an event that comes');
  expect(heard[2]).toBe(time - 1 + 60e6);
});

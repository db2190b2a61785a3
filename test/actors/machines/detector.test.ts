import { expect, test } from 'vitest';
import { createActor, fromPromise, SimulatedClock, waitFor as waitForState } from 'xstate';
import {
  type DetectorInput,
  DetectorRefusedError,
  detectorMachine,
} from '../../../actors/machines/detector.ts';

const wanted: DetectorInput = {
  monitorID: 'door',
  detector: 'motion',
  monitorName: 'Door',
  maxFrameRate: 0,
  settings: { feedRate: 5 },
  frames: { format: 'gray', rate: 5, stream: 'main' },
};

/** A detector whose host answers as the test says, and what it was asked. */
function startDetector(refusal?: Error) {
  const clock = new SimulatedClock();
  const asked: DetectorInput['settings'][] = [];
  const complaints: string[] = [];
  const host = { refusal };
  const actor = createActor(
    detectorMachine.provide({
      actors: {
        ask: fromPromise<void, DetectorInput>(async ({ input: { settings } }) => {
          asked.push(settings);
          if (host.refusal) throw host.refusal;
        }),
      },
      actions: { complain: (_, { reason }) => void complaints.push(reason) },
    }),
    { clock, input: wanted },
  );
  actor.start();
  const settle = () => new Promise((resolve) => setImmediate(resolve));
  return { actor, clock, asked, complaints, host, settle, state: () => actor.getSnapshot().value };
}

test('a detector asks its host to watch, and again before the host forgets', async () => {
  const { asked, clock, settle, state } = startDetector();
  await settle();
  expect(state()).toBe('watching');
  clock.increment(5000);
  await settle();
  expect(asked).toEqual([wanted.settings, wanted.settings]);
});

test('a host that is new is asked at once', async () => {
  const { actor, asked, settle } = startDetector();
  await settle();
  actor.send({ type: 'host.ready' });
  await settle();
  expect(asked).toHaveLength(2);
});

test('a host that is new is asked at once also while the one before still owes its answer', async () => {
  const asked: DetectorInput[] = [];
  const ask = fromPromise<void, DetectorInput>(({ input }) => {
    asked.push(input);
    return asked.length === 1 ? new Promise(() => {}) : Promise.resolve();
  });
  const actor = createActor(detectorMachine.provide({ actors: { ask } }), { input: wanted });
  actor.start();
  expect(actor.getSnapshot().value).toBe('asking');
  actor.send({ type: 'host.ready' });
  await waitForState(actor, (snapshot) => snapshot.matches('watching'), { timeout: 1000 });
  expect(asked).toHaveLength(2);
});

test('a host that does not run is asked until it does, without log entries', async () => {
  const { asked, clock, complaints, host, settle, state } = startDetector(new Error('no answer'));
  await settle();
  expect(state()).toBe('waiting');
  host.refusal = undefined;
  clock.increment(250);
  await settle();
  expect(state()).toBe('watching');
  expect(asked).toHaveLength(2);
  expect(complaints).toEqual([]);
});

test('a host that refuses the settings is complained of once for each reason', async () => {
  const { actor, clock, complaints, host, settle } = startDetector(new DetectorRefusedError('no zones'));
  await settle();
  clock.increment(10_000);
  await settle();
  host.refusal = new DetectorRefusedError('no rate');
  actor.send({ type: 'host.ready' });
  await settle();
  clock.increment(10_000);
  await settle();
  expect(complaints).toEqual(['no zones', 'no rate']);
});

test('the host is asked to stop when the detector is disabled and when it ends', async () => {
  const { actor, asked, settle, state } = startDetector();
  await settle();
  actor.send({ type: 'configure', monitorName: 'Door', maxFrameRate: 0, settings: null, frames: null });
  await settle();
  expect(state()).toBe('off');
  actor.send({
    type: 'configure',
    monitorName: 'Door',
    maxFrameRate: 0,
    settings: { feedRate: 2 },
    frames: { format: 'gray', rate: 5, stream: 'main' },
  });
  await settle();
  actor.send({ type: 'stop' });
  await settle();
  expect(asked).toEqual([{ feedRate: 5 }, null, { feedRate: 2 }, null]);
  expect(actor.getSnapshot().status).toBe('done');
});

import { expect, test } from 'vitest';
import { createActor, fromCallback, fromPromise, SimulatedClock } from 'xstate';
import { type DetectorInput, detectorMachine } from '../../actors/machines/detector.ts';
import { type MonitorEvent, monitorMachine } from '../../actors/machines/monitor.ts';
import { stateInspector } from '../../actors/state-log.ts';
import type { MonitorConfig } from '../../store/monitors/monitor-config.ts';

/** A log of debug entries as lines; nothing else may be logged. */
function debugLog() {
  const lines: string[] = [];
  const fail = (msg: string) => expect.unreachable(msg);
  const debug = (msg: string, monitorID = '') => void lines.push(`${monitorID} | ${msg}`);
  return { lines, inspect: stateInspector({ error: fail, warning: fail, info: fail, debug }) };
}

const config: MonitorConfig = {
  ...{ id: 'door', name: 'Front door', enable: true, alwaysRecord: false, videoLength: 15 },
  ...{ source: 'test', sourcetest: {} },
};

test('each change of state of a monitor is one entry, what changes none is no entry', () => {
  const { lines, inspect } = debugLog();
  let pipeline: (event: MonitorEvent) => void = () => {};
  const machine = monitorMachine.provide({
    actors: {
      pipeline: fromCallback(({ sendBack }) => {
        pipeline = sendBack;
      }),
    },
  });
  const input = { config, random: () => 0 };
  const monitor = createActor(machine, { id: 'door', input, inspect, clock: new SimulatedClock() });
  monitor.start();
  pipeline({ type: 'pipeline.streaming' });
  pipeline({ type: 'pipeline.trouble', text: 'the sub stream is unreachable' });
  for (let second = 1; second < 50; second += 1) monitor.send({ type: 'detected', until: second * 1e6 });
  pipeline({ type: 'pipeline.recording', recording: true });
  pipeline({ type: 'pipeline.ended', reason: 'unauthorized', detail: 'wrong password' });
  monitor.send({ type: 'stop' });
  expect(lines).toEqual([
    'door | monitor door: running.connecting',
    'door | monitor door: running.connecting → running.streaming.idle',
    'door | monitor door: running.streaming.idle → running.streaming.recording',
    'door | monitor door: running.streaming.recording → waiting',
    'door | monitor door: waiting → gone',
  ]);
});

test('a detector that renews its lease again and again is no news', async () => {
  const { lines, inspect } = debugLog();
  const clock = new SimulatedClock();
  let asked = 0;
  const ask = fromPromise<void, DetectorInput>(async () => {
    asked += 1;
  });
  const input = {
    monitorID: 'door',
    detector: 'motion',
    monitorName: 'Front door',
    maxFrameRate: 0,
    settings: {},
    frames: { format: 'gray', rate: 5, stream: 'main' } as const,
  };
  const machine = detectorMachine.provide({ actors: { ask } });
  const detector = createActor(machine, { id: 'door.motion', input, inspect, clock });
  detector.start();
  for (let renewals = 0; renewals < 5; renewals += 1) {
    await expect.poll(() => detector.getSnapshot().value).toBe('watching');
    clock.increment(5000);
  }
  await expect.poll(() => detector.getSnapshot().value).toBe('watching');
  expect(asked).toBe(6);
  expect(lines).toEqual(['door | detector door.motion: watching']);
});

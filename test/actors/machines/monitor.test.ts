import { expect, test } from 'vitest';
import { createActor, fromCallback, SimulatedClock } from 'xstate';
import {
  type MonitorEvent,
  monitorMachine,
  monitorState,
  type PipelineInput,
} from '../../../actors/machines/monitor.ts';
import type { MonitorConfig } from '../../../store/monitors/monitor-config.ts';

const door = {
  id: 'door',
  name: 'Door',
  enable: true,
  alwaysRecord: false,
  videoLength: 15,
  source: 'test',
  sourcetest: {},
} as MonitorConfig;

/** A monitor whose pipelines do what the test says. */
function startMonitor(config: MonitorConfig = door) {
  const clock = new SimulatedClock();
  const recorded: number[] = [];
  const pipelines: (PipelineInput & { send: (event: MonitorEvent) => void; stopped: boolean })[] = [];
  const actor = createActor(
    monitorMachine.provide({
      actors: {
        pipeline: fromCallback<{ type: 'stop' }, PipelineInput>(({ input, sendBack, receive }) => {
          const pipeline = { ...input, send: sendBack, stopped: false };
          pipelines.push(pipeline);
          receive(() => {
            pipeline.stopped = true;
          });
        }),
      },
      actions: { record: (_, { until }) => void recorded.push(until) },
    }),
    { clock, input: { config, random: () => 0.999_999 } },
  );
  actor.start();
  return {
    actor,
    clock,
    pipelines,
    recorded,
    state: () => monitorState(actor.getSnapshot()),
    pipeline: () => {
      const newest = pipelines.at(-1);
      if (!newest) throw new Error('no pipeline was started');
      return newest;
    },
  };
}

const lost: MonitorEvent = {
  type: 'pipeline.ended',
  reason: 'lost',
  detail: 'the camera closed the connection',
};

test('an enabled monitor connects, streams and shows when it records', () => {
  const { state, pipeline } = startMonitor();
  expect(state()).toEqual({ state: 'connecting', recording: false, reason: '' });
  pipeline().send({ type: 'pipeline.streaming' });
  expect(state().state).toBe('streaming');
  pipeline().send({ type: 'pipeline.recording', recording: true });
  expect(state()).toEqual({ state: 'streaming', recording: true, reason: '' });
  pipeline().send({ type: 'pipeline.recording', recording: false });
  expect(state().recording).toBe(false);
});

test('what goes wrong while it streams is the reason until it is over', () => {
  const { state, pipeline } = startMonitor();
  pipeline().send({ type: 'pipeline.streaming' });
  pipeline().send({ type: 'pipeline.trouble', text: 'cannot record: no space left on the disk' });
  expect(state()).toMatchObject({ state: 'streaming', reason: 'cannot record: no space left on the disk' });
  pipeline().send({ type: 'pipeline.trouble', text: '' });
  expect(state().reason).toBe('');
});

test('a disabled monitor starts nothing until it is enabled', () => {
  const { actor, state, pipelines } = startMonitor({ ...door, enable: false });
  expect(state().state).toBe('disabled');
  expect(pipelines).toHaveLength(0);
  actor.send({ type: 'configure', config: door });
  expect(state().state).toBe('connecting');
  expect(pipelines).toHaveLength(1);
});

test('a lost camera is tried again after pauses that double, up to thirty seconds', () => {
  const { state, pipeline, pipelines, clock } = startMonitor();
  const pauses: number[] = [];
  for (let attempt = 1; attempt <= 9; attempt += 1) {
    pipeline().send(lost);
    expect(state()).toEqual({ state: 'waiting', recording: false, reason: lost.detail });
    let waited = 0;
    while (pipelines.length === attempt) {
      clock.increment(500);
      waited += 500;
    }
    pauses.push(waited / 1000);
  }
  expect(pauses).toEqual([1, 2, 4, 8, 16, 30, 30, 30, 30]);
});

test('after a crash of its process a camera is recorded again at once, and after pauses that double if it goes on', () => {
  const { state, pipeline, pipelines, clock } = startMonitor();
  const detail = 'the pipeline process was ended by SIGKILL';
  pipeline().send(lost);
  clock.increment(1000);
  const pauses: number[] = [];
  const crash = () => {
    const before = pipelines.length;
    pipeline().send({ type: 'pipeline.ended', reason: 'failed', detail });
    expect(state()).toEqual({ state: 'waiting', recording: false, reason: detail });
    clock.increment(0);
    let waited = 0;
    for (; pipelines.length === before; waited += 500) clock.increment(500);
    pauses.push(waited / 1000);
  };
  for (let count = 1; count <= 5; count += 1) crash();
  // The camera did not fail: it is not waited for any longer.
  expect(pipeline().patienceMs).toBe(pipelines[1]?.patienceMs);
  pipeline().send({ type: 'pipeline.streaming' });
  clock.increment(10_000);
  crash();
  expect(pauses).toEqual([0, 1, 2, 4, 8, 0]);
});

test('a slow camera is given more time after each failure, up to a minute, and the state says how much', () => {
  const { state, pipeline, pipelines, clock } = startMonitor();
  const slow = (seconds: number): MonitorEvent => ({
    type: 'pipeline.ended',
    reason: 'unreachable',
    detail: `the camera did not answer DESCRIBE within ${seconds} s`,
  });
  const reasons: string[] = [];
  const waits: string[] = [];
  for (let attempt = 1; attempt <= 5; attempt += 1) {
    pipeline().send(slow(pipeline().patienceMs / 1000));
    reasons.push(state().reason);
    clock.increment(30_000);
    waits.push(state().reason.replace(/^.*; /, ''));
  }
  expect(pipelines.map(({ patienceMs }) => patienceMs / 1000)).toEqual([10, 20, 40, 60, 60, 60]);
  expect(waits).toEqual([20, 40, 60, 60, 60].map((seconds) => `waiting up to ${seconds} s this time`));
  expect(reasons.slice(0, 3)).toEqual([
    'the camera did not answer DESCRIBE within 10 s; next try waits up to 20 s',
    'the camera did not answer DESCRIBE within 20 s; next try waits up to 40 s',
    'the camera did not answer DESCRIBE within 40 s; next try waits up to 60 s',
  ]);
  pipeline().send({ type: 'pipeline.streaming' });
  expect(state().reason).toBe('');
  clock.increment(10_000);
  pipeline().send(lost);
  expect(state().reason).toBe(lost.detail);
});

test.each([
  [5, [5, 5, 5, 5]],
  [15, [10, 15, 15, 15]],
  [120, [10, 20, 40, 80, 120, 120]],
])('with a patience of %s s, a camera is given that at most', (patience, waits) => {
  const camera = { protocol: 'tcp', mainStream: 'rtsp://camera/', patience };
  const { pipeline, pipelines, clock } = startMonitor({
    ...door,
    source: 'rtsp',
    sourcertsp: camera,
  } as MonitorConfig);
  for (let attempt = 1; attempt < waits.length; attempt += 1) {
    pipeline().send({ type: 'pipeline.ended', reason: 'silent', detail: 'no video' });
    clock.increment(30_000);
  }
  expect(pipelines.map(({ patienceMs }) => patienceMs / 1000)).toEqual(waits);
});

const refused: MonitorEvent = {
  type: 'pipeline.ended',
  reason: 'unauthorized',
  detail: 'wrong user name or password',
};

test('after refused logins a camera is left alone for 1, 5, 15, then 60 minutes, and the state says so', () => {
  const { state, pipeline, pipelines, clock } = startMonitor();
  const pauses: number[] = [];
  const reasons: string[] = [];
  for (let attempt = 1; attempt <= 5; attempt += 1) {
    pipeline().send(refused);
    reasons.push(state().reason);
    let waited = 0;
    while (pipelines.length === attempt) {
      clock.increment(30_000);
      waited += 0.5;
    }
    pauses.push(waited);
  }
  expect(pauses).toEqual([1, 5, 15, 60, 60]);
  expect(reasons[0]).toBe(
    'wrong user name or password; next login in 1 minute, or when the monitor is changed or restarted',
  );
  expect(reasons[3]).toContain('next login in 60 minutes');
  expect(state()).toEqual({ state: 'connecting', recording: false, reason: 'wrong user name or password' });
});

test('a camera that cannot be reached between refused logins is tried as usual, and they go on counting', () => {
  const { pipeline, pipelines, clock } = startMonitor();
  pipeline().send(refused);
  clock.increment(60_000);
  pipeline().send(lost);
  clock.increment(30_000);
  expect(pipelines).toHaveLength(3);
  pipeline().send(refused);
  clock.increment(5 * 60_000 - 1);
  expect(pipelines).toHaveLength(3);
  clock.increment(1);
  expect(pipelines).toHaveLength(4);
});

test('a right login makes the next refused one the first', () => {
  const { pipeline, pipelines, clock } = startMonitor();
  pipeline().send(refused);
  clock.increment(60_000);
  pipeline().send({ type: 'pipeline.streaming' });
  pipeline().send(refused);
  clock.increment(60_000);
  expect(pipelines).toHaveLength(3);
});

test('a change of configuration or a restart ends the pause after a refused login, the same configuration does not', () => {
  const { actor, pipeline, pipelines, state, clock } = startMonitor();
  pipeline().send(refused);
  actor.send({ type: 'configure', config: { ...door } });
  expect(pipelines).toHaveLength(1);
  actor.send({ type: 'restart' });
  expect(pipelines).toHaveLength(2);
  pipeline().send(refused);
  expect(state().reason).toContain('next login in 5 minutes');
  actor.send({ type: 'configure', config: { ...door, name: 'Another' } });
  expect(pipelines).toHaveLength(3);
  expect(state().reason).toBe('');
  pipeline().send(refused);
  clock.increment(60_000);
  expect(pipelines).toHaveLength(4);
});

test('the pauses begin anew once a connection has held for ten seconds', () => {
  const { pipeline, pipelines, clock, state } = startMonitor();
  pipeline().send(lost);
  clock.increment(1000);
  pipeline().send(lost);
  clock.increment(2000);
  pipeline().send({ type: 'pipeline.streaming' });
  expect(state().reason).toBe('');
  clock.increment(10_000);
  pipeline().send(lost);
  clock.increment(1000);
  expect(pipelines).toHaveLength(4);
});

test('detections are recorded until the latest of their ends, to whole seconds, and the pipeline is asked only when that grows', () => {
  const { actor, pipeline, recorded } = startMonitor();
  pipeline().send({ type: 'pipeline.streaming' });
  for (const until of [20_000_001, 20_900_000, 15_000_000, 21_000_001])
    actor.send({ type: 'detected', until });
  expect(recorded.slice(1)).toEqual([21_000_000, 22_000_000]);
});

test('a monitor that always records gets no record command', () => {
  const { actor, pipeline, recorded } = startMonitor({ ...door, alwaysRecord: true });
  pipeline().send({ type: 'pipeline.streaming' });
  actor.send({ type: 'detected', until: 20_000_000 });
  expect(recorded.slice(1)).toEqual([]);
});

test('what is seen just before a camera is lost is recorded when it is back', () => {
  const { actor, pipeline, recorded, clock } = startMonitor();
  pipeline().send({ type: 'pipeline.streaming' });
  pipeline().send(lost);
  actor.send({ type: 'detected', until: 30_000_000 });
  clock.increment(1000);
  pipeline().send({ type: 'pipeline.streaming' });
  expect(recorded.at(-1)).toBe(30_000_000);
});

test('a new configuration lets the pipeline finish before the next one starts', () => {
  const { actor, state, pipeline, pipelines } = startMonitor();
  pipeline().send({ type: 'pipeline.streaming' });
  actor.send({ type: 'configure', config: { ...door, name: 'Back door' } });
  expect(state().state).toBe('stopping');
  expect(pipeline().stopped).toBe(true);
  expect(pipelines).toHaveLength(1);
  pipeline().send({ type: 'pipeline.ended', reason: 'stopped', detail: '' });
  expect(state().state).toBe('connecting');
  expect(pipeline().config.name).toBe('Back door');
});

test('a configuration that is the same interrupts nothing, a restart does', () => {
  const { actor, state, pipeline } = startMonitor();
  pipeline().send({ type: 'pipeline.streaming' });
  actor.send({ type: 'configure', config: { ...door } });
  expect(state().state).toBe('streaming');
  actor.send({ type: 'restart' });
  expect(state().state).toBe('stopping');
});

test('the last of several configurations wins while the pipeline is ending', () => {
  const { actor, state, pipeline } = startMonitor();
  actor.send({ type: 'configure', config: { ...door, name: 'One' } });
  actor.send({ type: 'configure', config: { ...door, name: 'Two', enable: false } });
  pipeline().send({ type: 'pipeline.ended', reason: 'stopped', detail: '' });
  expect(state().state).toBe('disabled');
});

test('on stop it lets its pipeline finish, then ends', () => {
  const { actor, state, pipeline } = startMonitor();
  pipeline().send({ type: 'pipeline.streaming' });
  actor.send({ type: 'stop' });
  expect(state().state).toBe('stopping');
  expect(actor.getSnapshot().status).toBe('active');
  pipeline().send({ type: 'pipeline.ended', reason: 'stopped', detail: '' });
  expect(actor.getSnapshot().status).toBe('done');
});

test('on stop while it waits it ends at once and never connects again', () => {
  const { actor, clock, pipeline, pipelines } = startMonitor();
  pipeline().send(lost);
  actor.send({ type: 'stop' });
  expect(actor.getSnapshot().status).toBe('done');
  clock.increment(60_000);
  expect(pipelines).toHaveLength(1);
});

test('a file is played once, or again and again', () => {
  const file = { ...door, source: 'file', sourcefile: { path: 'a.mp4', loop: false } } as MonitorConfig;
  const once = startMonitor(file);
  once.pipeline().send({ type: 'pipeline.streaming' });
  once.pipeline().send({ type: 'pipeline.ended', reason: 'finished', detail: 'the file has been played' });
  expect(once.state()).toEqual({ state: 'stopped', recording: false, reason: 'the file has been played' });

  const again = startMonitor({ ...file, sourcefile: { path: 'a.mp4', loop: true } } as MonitorConfig);
  again.pipeline().send({ type: 'pipeline.streaming' });
  again.pipeline().send({ type: 'pipeline.ended', reason: 'finished', detail: '' });
  expect(again.state().state).toBe('connecting');
  expect(again.pipelines).toHaveLength(2);
});

test('a file that ends before it has begun is not played again and again without a pause', () => {
  const { state, pipeline } = startMonitor({
    ...door,
    source: 'file',
    sourcefile: { path: 'empty.mp4', loop: true },
  } as MonitorConfig);
  pipeline().send({ type: 'pipeline.ended', reason: 'finished', detail: 'the file is empty' });
  expect(state().state).toBe('waiting');
});

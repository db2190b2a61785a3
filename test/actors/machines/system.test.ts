import { expect, test } from 'vitest';
import { createActor, fromCallback, SimulatedClock } from 'xstate';
import { detectorMachine } from '../../../actors/machines/detector.ts';
import { detectorHostMachine } from '../../../actors/machines/detector-host.ts';
import { monitorMachine, type PipelineInput } from '../../../actors/machines/monitor.ts';
import { type SystemEvent, type SystemServices, systemMachine } from '../../../actors/machines/system.ts';
import type { MonitorConfig } from '../../../store/monitors/monitor-config.ts';

const monitor = (id: string, name = id): MonitorConfig => ({
  id,
  name,
  enable: true,
  alwaysRecord: true,
  videoLength: 15,
  source: 'test',
  sourcetest: {},
});

/** The root over pipelines that run until they are told to stop, and what happened, in order. */
function startSystem(stored: MonitorConfig[], services: Partial<SystemServices> = {}, pipelinesStop = true) {
  const clock = new SimulatedClock();
  const story: string[] = [];
  let send: (event: SystemEvent) => void = () => {};
  const actor = createActor(
    systemMachine.provide({
      actors: {
        monitor: monitorMachine.provide({
          actors: {
            pipeline: fromCallback<{ type: 'stop' }, PipelineInput>(
              ({ input: { config }, sendBack, receive }) => {
                story.push(`start ${config.name}`);
                receive(() => {
                  story.push(`stop ${config.name}`);
                  if (pipelinesStop) sendBack({ type: 'pipeline.ended', reason: 'stopped', detail: '' });
                });
              },
            ),
          },
        }),
        detector: detectorMachine,
        host: detectorHostMachine.provide({
          actors: {
            process: fromCallback<{ type: 'stop' }>(({ sendBack, receive }) => {
              receive(() => sendBack({ type: 'host.ended', how: 'code 0' }));
            }),
          },
        }),
      },
    }),
    {
      clock,
      input: {
        services: {
          open: async () => void story.push('open'),
          serve: async () => {},
          close: async () => void story.push('close'),
          listen: (sender) => {
            send = sender;
            return () => {};
          },
          monitorIDs: () => stored.map(({ id }) => id),
          children: (monitorID) =>
            stored
              .filter(({ id }) => id === monitorID)
              .flatMap((config) => [
                { kind: 'monitor', input: { config, random: () => 0 } },
                {
                  kind: 'detector',
                  input: {
                    monitorID,
                    detector: 'motion',
                    monitorName: config.name,
                    maxFrameRate: 0,
                    settings: null,
                    frames: null,
                  },
                },
              ]),
          monitorDeleted: (id) => void story.push(`forget ${id}`),
          log: (message) => void story.push(message),
          ...services,
        },
      },
    },
  );
  actor.start();
  const settle = () => new Promise((resolve) => setImmediate(resolve));
  return { actor, clock, story, settle, send: (event: SystemEvent) => send(event) };
}

test('it opens the services, then starts every monitor; it stops them before it closes the services', async () => {
  const { actor, story, settle } = startSystem([monitor('a'), monitor('b')]);
  await settle();
  actor.send({ type: 'stop' });
  await settle();
  await settle();
  expect(story).toEqual(['open', 'start a', 'start b', 'stop a', 'stop b', 'close']);
  expect(actor.getSnapshot().output).toEqual({ failure: undefined });
});

test('a change of one monitor restarts that monitor alone', async () => {
  const stored = [monitor('a'), monitor('b')];
  const { story, settle, send } = startSystem(stored);
  await settle();
  stored[1] = monitor('b', 'b2');
  send({ type: 'apply', monitorID: 'b', restart: false });
  send({ type: 'apply', monitorID: 'a', restart: false });
  await settle();
  expect(story.slice(3)).toEqual(['stop b', 'start b2']);
  send({ type: 'apply', monitorID: 'a', restart: true });
  await settle();
  expect(story.slice(5)).toEqual(['stop a', 'start a']);
});

test('a monitor that is stored later is started, one that is deleted is stopped', async () => {
  const stored: MonitorConfig[] = [];
  const { actor, story, settle, send } = startSystem(stored);
  await settle();
  stored.push(monitor('a'));
  send({ type: 'apply', monitorID: 'a', restart: false });
  stored.pop();
  send({ type: 'apply', monitorID: 'a', restart: false });
  await settle();
  expect(story.filter((line) => !line.startsWith('forget'))).toEqual(['open', 'start a', 'stop a']);
  expect(story).toContain('forget a');
  expect(Object.keys(actor.getSnapshot().children)).not.toContain('a');
});

test('a monitor that is deleted and stored anew while it stops is started again', async () => {
  const stored = [monitor('a')];
  const { actor, settle, send } = startSystem(stored);
  await settle();
  stored.pop();
  send({ type: 'apply', monitorID: 'a', restart: false });
  stored.push(monitor('a', 'again'));
  await settle();
  await settle();
  expect(Object.keys(actor.getSnapshot().children)).toContain('a');
});

test('monitors deleted and stored while the bus was unreachable are applied when it is back', async () => {
  const stored = [monitor('a'), monitor('b')];
  const { story, settle, send } = startSystem(stored);
  await settle();
  stored.splice(0, 1, monitor('c'));
  send({ type: 'reconcile' });
  await settle();
  expect(story.slice(3).filter((line) => !line.startsWith('forget'))).toEqual(['start c', 'stop a']);
});

test('on stop while it opens, it closes what it opened and starts nothing', async () => {
  let opened = () => {};
  const { actor, story, settle } = startSystem([monitor('a')], {
    open: () =>
      new Promise<void>((resolve) => {
        opened = resolve;
      }),
  });
  actor.send({ type: 'stop' });
  opened();
  await settle();
  await settle();
  expect(story).toEqual(['close']);
  expect(actor.getSnapshot().status).toBe('done');
});

test('when the bus cannot be opened it ends and says why', async () => {
  const failure = new Error('nats-server is missing');
  const { actor, story, settle } = startSystem([monitor('a')], { open: () => Promise.reject(failure) });
  await settle();
  expect(actor.getSnapshot().output).toEqual({ failure });
  expect(story).toEqual([]);
});

test('monitors run while the services are opened that they do not need', async () => {
  const { actor, story, settle } = startSystem([monitor('a')], { serve: () => new Promise(() => {}) });
  await settle();
  expect(story).toEqual(['open', 'start a']);
  actor.send({ type: 'stop' });
  await settle();
  await settle();
  expect(story).toEqual(['open', 'start a', 'stop a', 'close']);
});

test('when one of those cannot be opened, it stops the monitors, closes, and says why', async () => {
  const failure = new Error('port 2020 is in use');
  const { actor, story, settle } = startSystem([monitor('a')], { serve: () => Promise.reject(failure) });
  await settle();
  await settle();
  await settle();
  expect(story).toEqual(['open', 'start a', 'stop a', 'close']);
  expect(actor.getSnapshot().output).toEqual({ failure });
});

test('a pipeline that does not stop holds up the end for eight seconds, not longer', async () => {
  const { actor, clock, story, settle } = startSystem([monitor('a')], {}, false);
  await settle();
  actor.send({ type: 'stop' });
  await settle();
  expect(story).not.toContain('close');
  clock.increment(8000);
  await settle();
  expect(story).toContain('close');
});

test('a detector host that cannot even be started is tried again', async () => {
  const { actor, clock, settle } = startSystem([]);
  await settle();
  actor.send({
    type: 'xstate.error.actor.detector-host',
    error: new Error('EMFILE'),
    actorId: 'detector-host',
  });
  await settle();
  expect(Object.keys(actor.getSnapshot().children)).not.toContain('detector-host');
  clock.increment(5000);
  expect(Object.keys(actor.getSnapshot().children)).toContain('detector-host');
});

test('an actor that fails is replaced after five seconds, and the others do not notice', async () => {
  const { actor, clock, story, settle } = startSystem([monitor('a'), monitor('b')]);
  await settle();
  actor.send({ type: 'xstate.error.actor.a', error: new Error('a bug'), actorId: 'a' });
  await settle();
  expect(story.slice(3)).toEqual(['a failed: a bug']);
  clock.increment(5000);
  expect(story.slice(4)).toEqual(['start a']);
});

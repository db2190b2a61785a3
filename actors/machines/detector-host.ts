import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { assign, fromCallback, sendParent, sendTo, setup } from 'xstate';
import { backoffDelay } from '../../bus/base/backoff.ts';
import { hostFlags } from '../../bus/children/host-process.ts';
import { orphanMs, stopDeadlinesMs } from '../../bus/children/stop-deadlines.ts';
import { SupervisedChild } from '../../bus/children/supervised-child.ts';
import { leases } from '../../bus/leases.ts';
import { decodingEnvironment } from '../../pipelines/pipeline-environment.ts';
import type {
  DetectionHostOrder,
  DetectorHostConfig,
  DetectorHostMessage,
} from '../detectors/host/detector-host-protocol.ts';
import type { ModelSource } from '../detectors/objects/models/model-source.ts';

/** The supervisor of the detector host, the process in which all detectors run: restarts it and announces when it is ready. */

export type DetectorHostEvent =
  | { type: 'host.ready' }
  | { type: 'host.ended'; how: string }
  | { type: 'stop' };

const restart = { minMs: 100, maxMs: 10_000 };
/** A process that has run this long is restarted without a pause, in milliseconds. */
const steadyAfter = 10_000;
const entry = fileURLToPath(new URL('../detectors/host/detector-host-process.js', import.meta.url));

/** Runs the process: sends `host.ready` and, at the end, `host.ended`; receives `stop`. */
export const hostProcess = (order: () => Omit<DetectorHostConfig, 'models' | 'stuck'>) => {
  // The next host opens the models of the last one first, because that takes the longest.
  let models: readonly ModelSource[] = [];
  // Otherwise one host after the other would get stuck in the same model.
  let stuck: readonly ModelSource[] = [];
  return fromCallback<{ type: 'stop' }>(({ sendBack, receive }) => {
    const settings = order();
    /** Of its end, where its own account is not enough. */
    let cause: string | undefined;
    const child = new SupervisedChild<DetectorHostMessage>({
      start: () =>
        fork(entry, {
          execArgv: [...hostFlags],
          env: decodingEnvironment(settings.storageDir),
          stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
        }),
      onMessage(message) {
        if (message === 'ready') {
          child.markReady();
          sendBack({ type: 'host.ready' });
        } else if (message === 'worn') {
          // Its decoders begin again within seconds in the next one, instead of one an hour.
          cause = 'has started many decoders';
          void child.stop();
        } else if (message !== 'alive') note(message);
      },
      silenceMs: leases.detectorHostHeartbeat.expireMs,
      askToStop: () => child.send('stop' satisfies DetectionHostOrder),
      stopMs: stopDeadlinesMs.detectorHost,
      orphanMs,
    });
    child.send({ ...settings, models, stuck } satisfies DetectionHostOrder);
    models = [];
    void child.ended.then(({ how }) => {
      sendBack({ type: 'host.ended', how: cause ?? how });
    });
    receive(() => void child.stop());
    return () => child.kill();

    function note(message: Exclude<DetectorHostMessage, string>): void {
      const model = 'opened' in message ? message.opened : message.stuck;
      models = models.filter(isOther(model));
      stuck = stuck.filter(isOther(model));
      if ('opened' in message) models = [...models, model];
      else {
        stuck = [...stuck, model];
        cause = `was stuck in the model ${model.name}`;
      }
    }
  });
};

const isOther = (model: ModelSource) => (one: ModelSource) => JSON.stringify(one) !== JSON.stringify(model);

export const detectorHostMachine = setup({
  types: {
    context: {} as { attempts: number },
    events: {} as DetectorHostEvent,
  },
  actors: { process: fromCallback<{ type: 'stop' }>(() => {}) },
  actions: {
    /** Tells the detectors that a new host is ready, so that they repeat their requests. */
    announce: sendParent({ type: 'host.ready' }),
    report: (_, _params: { how: string }) => {},
    countFailure: assign({ attempts: ({ context }) => context.attempts + 1 }),
    forgetFailures: assign({ attempts: 0 }),
  },
  delays: {
    pause: ({ context }) => (context.attempts === 1 ? 0 : backoffDelay(restart, context.attempts, 0)),
    steady: steadyAfter,
  },
}).createMachine({
  id: 'detectorHost',
  context: { attempts: 0 },
  initial: 'running',
  states: {
    running: {
      invoke: { id: 'process', src: 'process' },
      after: { steady: { actions: 'forgetFailures' } },
      initial: 'working',
      states: {
        working: {
          on: {
            'host.ready': { actions: 'announce' },
            'host.ended': {
              target: '#detectorHost.waiting',
              actions: ['countFailure', { type: 'report', params: ({ event }) => event }],
            },
            stop: 'stopping',
          },
        },
        stopping: {
          entry: sendTo('process', { type: 'stop' }),
          on: { 'host.ended': '#detectorHost.gone' },
        },
      },
    },
    waiting: { after: { pause: 'running' }, on: { stop: 'gone' } },
    gone: { type: 'final' },
  },
});

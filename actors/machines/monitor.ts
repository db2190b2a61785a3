import { type AnyActorRef, assign, fromCallback, not, type SnapshotFrom, sendTo, setup } from 'xstate';
import { backoffDelay } from '../../bus/base/backoff.ts';
import type { MonitorState } from '../../bus/messages.ts';
import { describeLoginPause, loginPauseMs } from '../../pipelines/protocol/camera-login-pause.ts';
import { patienceAfter } from '../../pipelines/protocol/patience.ts';
import type { EndReason } from '../../pipelines/protocol/pipeline-protocol.ts';
import { type MonitorConfig, maxPatienceMs } from '../../store/monitors/monitor-config.ts';

/** One monitor: keeps a pipeline running while the monitor is enabled, and decides when it records. */

export type MonitorEvent =
  | { type: 'configure'; config: MonitorConfig }
  | { type: 'restart' }
  | { type: 'stop' }
  | { type: 'pipeline.streaming' }
  | { type: 'pipeline.recording'; recording: boolean }
  /** A problem while it streams; empty when the problem is over. */
  | { type: 'pipeline.trouble'; text: string }
  | { type: 'pipeline.ended'; reason: EndReason; detail: string }
  /**
   * A detection asks for a recording until this time: microseconds of the clock of `performance.now()`, which nobody sets. By the
   * wall clock, what is seen after it was set back would be over before what was seen already.
   */
  | { type: 'detected'; until: number };

/** The input of a pipeline actor. */
export interface PipelineInput {
  readonly config: MonitorConfig;
  /** How long the camera may take for each of its answers and for its first picture, in milliseconds. */
  readonly patienceMs: number;
}

export interface MonitorInput {
  readonly config: MonitorConfig;
  /** In [0, 1), for the jitter. */
  readonly random: () => number;
}

interface MonitorContext extends MonitorInput {
  /** Number of consecutive failed connections. */
  readonly attempts: number;
  /** Number of consecutive logins that the camera refused. */
  readonly refusals: number;
  /** Number of consecutive ends that were not the camera's: its process crashed, or its settings cannot be used. */
  readonly crashes: number;
  /** Why the last connection ended. */
  readonly lastEnd: EndReason | undefined;
  /** Milliseconds until the next connection. */
  readonly pause: number;
  readonly reason: string;
  /** As that of `detected`. */
  readonly recordUntil: number;
  /** Whether the monitor ends after stopping, rather than starting again. */
  readonly leaving: boolean;
}

const secondUs = 1e6;
const connection = { minMs: 500, maxMs: 30_000 };
/** A connection that has lasted this many milliseconds resets the count of failures. */
const steadyAfter = 10_000;

const recording = ({ context }: { context: MonitorContext }) => ({
  monitorID: context.config.id,
  until: context.recordUntil,
});

const pipelineInput = ({ context }: { context: MonitorContext }): PipelineInput => ({
  config: context.config,
  patienceMs: patienceOf(context),
});

/** How long the next connection waits for the camera, in milliseconds. */
function patienceOf({ config, attempts }: Pick<MonitorContext, 'config' | 'attempts'>): number {
  return patienceAfter(attempts, maxPatienceMs(config));
}

/** The first crash may be another camera's, and nothing is gained by a wait. */
const crashPause = (crashes: number, backoff: (failures: number) => number) =>
  crashes === 1 ? 0 : backoff(crashes - 1);

export const monitorMachine = setup({
  types: {
    context: {} as MonitorContext,
    events: {} as MonitorEvent,
    input: {} as MonitorInput,
  },
  actors: {
    /** Runs one pipeline: sends `pipeline.*`, `pipeline.ended` as the last; receives `stop`. */
    pipeline: fromCallback<{ type: 'stop' }, PipelineInput>(() => {}),
    /** Sends `detected`. */
    detections: fromCallback<{ type: 'stop' }, { monitorID: string }>(() => {}),
    /** Publishes the monitor's state while the monitor exists. */
    reporter: fromCallback<{ type: 'stop' }, { monitorID: string; monitor: AnyActorRef }>(() => {}),
  },
  actions: {
    /** Commands the running pipeline to record until this time, as that of `detected`. */
    record: (_, _params: { monitorID: string; until: number }) => {},
    configure: assign({
      config: ({ context, event }) => (event.type === 'configure' ? event.config : context.config),
      reason: '',
      attempts: 0,
      refusals: 0,
      crashes: 0,
    }),
    leave: assign({ leaving: true }),
    forgetReason: assign({ reason: '' }),
    noteTrouble: assign({ reason: (_, { text }: { text: string }) => text }),
    forgetFailures: assign({ attempts: 0, crashes: 0 }),
    forgetRefusals: assign({ refusals: 0 }),
    countFailure: assign(({ context, event }) => {
      const end = event.type === 'pipeline.ended' ? event.reason : undefined;
      const refused = end === 'unauthorized';
      const crashed = end === 'failed';
      const attempts = context.attempts + (crashed ? 0 : 1);
      const refusals = context.refusals + (refused ? 1 : 0);
      const crashes = crashed ? context.crashes + 1 : 0;
      const backoff = (failures: number) => backoffDelay(connection, failures, context.random());
      const usual = crashed ? crashPause(crashes, backoff) : backoff(attempts);
      return {
        attempts,
        refusals,
        crashes,
        lastEnd: end,
        pause: refused ? loginPauseMs(refusals) : usual,
        reason: event.type === 'pipeline.ended' ? event.detail || event.reason : context.reason,
      };
    }),
    /** Rounds up to whole seconds, so that frequent events do not cause a command each. */
    extendRecording: assign({
      recordUntil: ({ context, event }) =>
        event.type === 'detected' ? Math.ceil(event.until / secondUs) * secondUs : context.recordUntil,
    }),
  },
  guards: {
    enabled: ({ context }) => context.config.enable,
    extends: ({ context, event }) =>
      event.type === 'detected' && !context.config.alwaysRecord && event.until > context.recordUntil,
    changed: ({ context, event }) =>
      event.type === 'configure' && JSON.stringify(event.config) !== JSON.stringify(context.config),
    leaving: ({ context }) => context.leaving,
    records: ({ event }) => event.type === 'pipeline.recording' && event.recording,
    cameToItsEnd: ({ event }) => event.type === 'pipeline.ended' && event.reason === 'finished',
    playsAgain: ({ context, event }) =>
      event.type === 'pipeline.ended' &&
      event.reason === 'finished' &&
      context.config.source === 'file' &&
      context.config.sourcefile?.loop === true,
  },
  delays: {
    pause: ({ context }) => context.pause,
    steady: steadyAfter,
  },
}).createMachine({
  id: 'monitor',
  context: ({ input }) => ({
    ...input,
    attempts: 0,
    refusals: 0,
    crashes: 0,
    lastEnd: undefined,
    pause: 0,
    reason: '',
    recordUntil: 0,
    leaving: false,
  }),
  invoke: [
    { src: 'detections', input: ({ context }) => ({ monitorID: context.config.id }) },
    { src: 'reporter', input: ({ context, self }) => ({ monitorID: context.config.id, monitor: self }) },
  ],
  on: {
    // A detection while the camera is offline is recorded when the camera is back, if its time is not over by then.
    detected: { guard: 'extends', actions: 'extendRecording' },
  },
  initial: 'deciding',
  states: {
    deciding: {
      always: [{ guard: 'leaving', target: 'gone' }, { guard: 'enabled', target: 'running' }, 'disabled'],
    },
    disabled: {
      on: { configure: { guard: 'changed', target: 'deciding', actions: 'configure' }, stop: 'gone' },
    },
    running: {
      invoke: { id: 'pipeline', src: 'pipeline', input: pipelineInput },
      initial: 'connecting',
      on: {
        configure: { guard: 'changed', target: '.stopping', actions: 'configure' },
        restart: '.stopping',
        stop: { target: '.stopping', actions: 'leave' },
        'pipeline.trouble': { actions: { type: 'noteTrouble', params: ({ event }) => event } },
        'pipeline.ended': { target: 'waiting', actions: 'countFailure' },
      },
      states: {
        connecting: {
          on: { 'pipeline.streaming': 'streaming' },
        },
        streaming: {
          entry: ['forgetReason', 'forgetRefusals', { type: 'record', params: recording }],
          initial: 'idle',
          after: { steady: { actions: 'forgetFailures' } },
          on: {
            detected: {
              guard: 'extends',
              actions: ['extendRecording', { type: 'record', params: recording }],
            },
            'pipeline.ended': [
              { guard: 'playsAgain', target: '#monitor.deciding' },
              { guard: 'cameToItsEnd', target: '#monitor.stopped', actions: 'countFailure' },
              { target: '#monitor.waiting', actions: 'countFailure' },
            ],
          },
          states: {
            idle: {
              on: { 'pipeline.recording': { guard: 'records', target: 'recording' } },
            },
            recording: {
              on: { 'pipeline.recording': { guard: not('records'), target: 'idle' } },
            },
          },
        },
        // The pipeline finishes its files and ends within a bounded time; past it the pipeline is killed.
        stopping: {
          entry: sendTo('pipeline', { type: 'stop' }),
          on: {
            configure: { actions: 'configure' },
            restart: {},
            stop: { actions: 'leave' },
            'pipeline.ended': { target: '#monitor.deciding', actions: ['forgetReason', 'forgetFailures'] },
          },
        },
      },
    },
    waiting: {
      after: { pause: 'running' },
      on: {
        configure: { guard: 'changed', target: 'deciding', actions: 'configure' },
        restart: 'deciding',
        stop: 'gone',
      },
    },
    /** A file without `loop` was played to its end. */
    stopped: {
      on: {
        configure: { guard: 'changed', target: 'deciding', actions: 'configure' },
        restart: 'deciding',
        stop: 'gone',
      },
    },
    gone: { type: 'final' },
  },
});

/** The published state of a monitor, from its machine's snapshot. */
export function monitorState(snapshot: SnapshotFrom<typeof monitorMachine>): {
  state: MonitorState;
  recording: boolean;
  reason: string;
} {
  const { reason } = snapshot.context;
  const states = ['disabled', 'waiting', 'stopped'] as const;
  const state =
    states.find((name) => snapshot.matches(name)) ??
    (snapshot.matches('gone') ? 'stopped' : undefined) ??
    (['connecting', 'streaming', 'stopping'] as const).find((name) => snapshot.matches({ running: name })) ??
    'connecting';
  return {
    state,
    recording: snapshot.matches({ running: { streaming: 'recording' } }),
    reason: [reason, reason && describeTry(state, snapshot.context)].filter(Boolean).join('; '),
  };
}

/** The reason of its state without the patience with the camera, which differs from one attempt to the next. */
export function causeOf(snapshot: SnapshotFrom<typeof monitorMachine>): string {
  const { lastEnd, reason } = snapshot.context;
  return lastEnd === 'unauthorized' ? monitorState(snapshot).reason : reason;
}

/** After a refused login the next connection comes later than usual, after a timeout it waits longer. */
function describeTry(state: MonitorState, context: MonitorContext): string {
  const { lastEnd, pause } = context;
  if (state === 'waiting' && lastEnd === 'unauthorized') {
    return `${describeLoginPause(pause)}, or when the monitor is changed or restarted`;
  }
  if (lastEnd !== 'unreachable' && lastEnd !== 'silent') return '';
  const wait = `up to ${patienceOf(context) / 1000} s`;
  if (state === 'waiting') return `next try waits ${wait}`;
  return state === 'connecting' ? `waiting ${wait} this time` : '';
}

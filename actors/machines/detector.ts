import { assign, fromPromise, setup } from 'xstate';
import { backoffDelay } from '../../bus/base/backoff.ts';
import type { DetectCommand } from '../../bus/command-messages.ts';
import { leases } from '../../bus/leases.ts';

/**
 * One detector of one monitor: keeps it running in the detector host while it is enabled.
 *
 * The request is a lease that the host lets expire, so repeating it is enough: a host that was restarted or unreachable
 * receives it again.
 */

export type DetectorEvent =
  /** The detector is off if there are no settings. */
  | ({ type: 'configure' } & Omit<DetectCommand, 'detector'>)
  /** The detector host was started or restarted and has no requests yet. */
  | { type: 'host.ready' }
  | { type: 'stop' };

export interface DetectorInput extends Readonly<DetectCommand> {
  readonly monitorID: string;
}

interface DetectorContext extends DetectorInput {
  readonly attempts: number;
  /** Error of the last request; empty while the detector runs. */
  readonly reason: string;
}

const asking = { minMs: 250, maxMs: 10_000 };

/** The detector host answered, but refused these settings. */
export class DetectorRefusedError extends Error {
  override readonly name = 'DetectorRefusedError';
  readonly code = 'detector_refused';
}

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error));

export const detectorMachine = setup({
  types: {
    context: {} as DetectorContext,
    events: {} as DetectorEvent,
    input: {} as DetectorInput,
  },
  actors: {
    /** Requests the detector with these settings, or its end without; rejects if the host refuses or is unreachable. */
    ask: fromPromise<void, DetectorInput>(async () => {}),
  },
  actions: {
    configure: assign(({ context, event }) =>
      event.type === 'configure'
        ? {
            monitorName: event.monitorName,
            maxFrameRate: event.maxFrameRate,
            settings: event.settings,
            frames: event.frames,
            reason: '',
            attempts: 0,
          }
        : context,
    ),
    /** Logs why the host refuses the settings. */
    complain: (_, _params: { monitorID: string; detector: string; reason: string }) => {},
    forget: assign({ settings: null }),
    succeed: assign({ attempts: 0, reason: '' }),
    fail: assign(({ context }, { error }: { error: unknown }) => ({
      attempts: context.attempts + 1,
      reason: messageOf(error),
    })),
  },
  guards: {
    wanted: ({ context }) => context.settings !== null,
    /** A refusal is logged once. An unreachable host is not: its supervisor logs that. */
    isNews: ({ context }, { error }: { error: unknown }) =>
      error instanceof DetectorRefusedError && error.message !== context.reason,
  },
  delays: {
    renewal: leases.detector.renewMs,
    pause: ({ context }) => backoffDelay(asking, context.attempts, 0),
  },
}).createMachine({
  id: 'detector',
  context: ({ input }) => ({ ...input, attempts: 0, reason: '' }),
  on: {
    configure: { target: '.deciding', actions: 'configure' },
    stop: { target: '.leaving', actions: 'forget' },
  },
  initial: 'deciding',
  states: {
    deciding: { always: [{ guard: 'wanted', target: 'asking' }, 'releasing'] },
    /** Asks the host to stop the detector, which would otherwise run until its lease expires. */
    releasing: {
      invoke: { src: 'ask', input: ({ context }) => context, onDone: 'off', onError: 'off' },
    },
    off: {},
    asking: {
      tags: 'passing',
      // The host that received the request is gone and will not answer.
      on: { 'host.ready': { target: 'asking', reenter: true } },
      invoke: {
        src: 'ask',
        input: ({ context }) => context,
        onDone: { target: 'watching', actions: 'succeed' },
        onError: [
          {
            guard: { type: 'isNews', params: ({ event }) => event },
            target: 'waiting',
            actions: [
              { type: 'fail', params: ({ event }) => event },
              { type: 'complain', params: ({ context }) => context },
            ],
          },
          { target: 'waiting', actions: { type: 'fail', params: ({ event }) => event } },
        ],
      },
    },
    watching: { after: { renewal: 'asking' }, on: { 'host.ready': 'asking' } },
    waiting: { after: { pause: 'asking' }, on: { 'host.ready': 'asking' } },
    leaving: {
      on: { configure: {} },
      invoke: { src: 'ask', input: ({ context }) => context, onDone: 'gone', onError: 'gone' },
    },
    gone: { type: 'final' },
  },
});

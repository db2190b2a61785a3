import { assign, fromPromise, setup } from 'xstate';
import { backoffDelay } from '../../bus/base/backoff.ts';
import { leases } from '../../bus/leases.ts';
import type { DetectCommand } from '../../bus/messages.ts';

/**
 * One detector of one monitor: sees to it that the detector host watches for as long as it is wanted.
 *
 * The host forgets what it is not asked for again and again, so asking is all there is to it: a host that died and
 * came back, or was away, is asked anew.
 */

export type DetectorEvent =
  /** Without settings the detector is off. */
  | ({ type: 'configure' } & Omit<DetectCommand, 'detector'>)
  /** The detector host has been started (again) and knows nothing yet. */
  | { type: 'host.ready' }
  | { type: 'stop' };

export interface DetectorInput extends Readonly<DetectCommand> {
  readonly monitorID: string;
}

interface DetectorContext extends DetectorInput {
  readonly attempts: number;
  /** Why the host does not watch; empty when it does. */
  readonly reason: string;
}

const asking = { minMs: 250, maxMs: 10_000 };

/** The detector host was there and would not watch with these settings. */
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
    /** Asks the host to watch with these settings, or to stop without; rejects when it refuses or is away. */
    ask: fromPromise<void, DetectorInput>(async () => {}),
  },
  actions: {
    configure: assign(({ context, event }) =>
      event.type === 'configure'
        ? {
            monitorName: event.monitorName,
            maxFrameRate: event.maxFrameRate,
            settings: event.settings,
            reason: '',
            attempts: 0,
          }
        : context,
    ),
    /** Says why the host will not watch. */
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
    /** A host that is away is somebody else's trouble; that it refuses these settings is said once. */
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
    /** Off is asked for, too: the host would otherwise watch until its lease is over. */
    releasing: {
      invoke: { src: 'ask', input: ({ context }) => context, onDone: 'off', onError: 'off' },
    },
    off: {},
    asking: {
      tags: 'passing',
      // Who was asked is gone, and will not answer.
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

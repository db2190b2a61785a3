import {
  assign,
  type DoneActorEvent,
  type ErrorActorEvent,
  enqueueActions,
  fromCallback,
  fromPromise,
  setup,
} from 'xstate';
import { stopDeadlinesMs } from '../../bus/base/stop-deadlines.ts';
import { type DetectorInput, detectorMachine } from './detector.ts';
import { detectorHostMachine } from './detector-host.ts';
import { type MonitorInput, monitorMachine } from './monitor.ts';

/**
 * The root: opens the services, keeps the actors of every stored monitor alive, and ends all in the reverse order.
 *
 * What is stored is the truth; `apply` compares one monitor's actors with it.
 */

export type SystemEvent =
  | { type: 'apply'; monitorID: string; restart: boolean }
  /** The bus was away: what was stored meanwhile could not be told. */
  | { type: 'reconcile' }
  /** The detector host has been started (again) and waits to be asked. */
  | { type: 'host.ready' }
  | { type: 'stop' };

/** An actor that belongs to a monitor, as it is stored: the monitor itself (`door`), or a detector (`door.motion`). */
export type MonitorChild = { readonly id: string } & (
  | { readonly kind: 'monitor'; readonly input: MonitorInput }
  | { readonly kind: 'detector'; readonly input: DetectorInput }
);

/** What the root needs of everything else. */
export interface SystemServices {
  /** Opens what all depend on. When it rejects, it leaves nothing open. */
  open(): Promise<void>;
  close(): Promise<void>;
  /** Starts to pass on what comes over the bus. @returns ends it. */
  listen(send: (event: SystemEvent) => void): () => void;
  monitorIDs(): readonly string[];
  /** None when the monitor is not stored. */
  children(monitorID: string): readonly MonitorChild[];
  /** A monitor that is no longer stored has ended. */
  monitorDeleted(monitorID: string): void;
  log(message: string): void;
}

interface SystemContext {
  readonly services: SystemServices;
  /** The ids of the members, and of the host, that have not ended. */
  readonly alive: readonly string[];
  readonly failure: unknown;
  readonly leaving: boolean;
}

const respawnPauseMs = 5000;
const detectorHostID = 'detector-host';
const monitorOf = (memberID: string) => memberID.split('.')[0] ?? '';

export const systemMachine = setup({
  types: {
    context: {} as SystemContext,
    events: {} as SystemEvent | DoneActorEvent | ErrorActorEvent,
    input: {} as { services: SystemServices },
    output: {} as { failure: unknown },
  },
  actors: {
    open: fromPromise<void, SystemServices>(({ input }) => input.open()),
    close: fromPromise<void, SystemServices>(({ input }) => input.close()),
    listen: fromCallback<SystemEvent, SystemServices>(({ input, sendBack }) => input.listen(sendBack)),
    monitor: monitorMachine,
    detector: detectorMachine,
    host: detectorHostMachine,
  },
  actions: {
    spawnAll: enqueueActions(({ context: { services }, enqueue }) => {
      enqueue.spawnChild('host', { id: detectorHostID });
      enqueue.assign({ alive: [detectorHostID] });
      for (const monitorID of services.monitorIDs())
        enqueue.raise({ type: 'apply', monitorID, restart: false });
    }),
    reconcile: enqueueActions(({ context: { services, alive }, enqueue }) => {
      const ids = new Set([...services.monitorIDs(), ...alive.map(monitorOf)]);
      for (const monitorID of ids) enqueue.raise({ type: 'apply', monitorID, restart: false });
    }),
    apply: enqueueActions(({ context, enqueue }, params: { monitorID: string; restart: boolean }) => {
      const { services, alive } = context;
      if (params.monitorID === detectorHostID) {
        if (alive.includes(detectorHostID)) return;
        enqueue.spawnChild('host', { id: detectorHostID });
        enqueue.assign({ alive: [...alive, detectorHostID] });
        return;
      }
      const members = services.children(params.monitorID);
      for (const member of members) {
        if (alive.includes(member.id)) {
          if (member.kind === 'monitor') enqueue.sendTo(member.id, { type: 'configure', ...member.input });
          else enqueue.sendTo(member.id, { type: 'configure', ...member.input });
          if (params.restart) enqueue.sendTo(member.id, { type: 'restart' });
        } else {
          if (member.kind === 'monitor')
            enqueue.spawnChild('monitor', { id: member.id, input: member.input });
          else enqueue.spawnChild('detector', { id: member.id, input: member.input });
        }
      }
      const known = members.map(({ id }) => id);
      if (known.length === 0) {
        for (const id of alive) if (monitorOf(id) === params.monitorID) enqueue.sendTo(id, { type: 'stop' });
      }
      enqueue.assign({ alive: [...new Set([...alive, ...known])] });
    }),
    /** An actor that has ended stays among the children until it is stopped. */
    forget: enqueueActions(({ context, enqueue }, { id }: { id: string }) => {
      enqueue.stopChild(id);
      const isDeleted =
        id !== detectorHostID && id === monitorOf(id) && context.services.children(id).length === 0;
      if (isDeleted) enqueue(() => context.services.monitorDeleted(id));
      enqueue.assign({ alive: context.alive.filter((other) => other !== id) });
    }),
    passToDetectors: enqueueActions(({ context, event, enqueue }) => {
      for (const id of context.alive) if (id.includes('.')) enqueue.sendTo(id, event);
    }),
    stopAll: enqueueActions(({ context, enqueue }) => {
      for (const id of context.alive) enqueue.sendTo(id, { type: 'stop' });
    }),
    report: ({ context }, { id, error }: { id: string; error: unknown }) =>
      context.services.log(`${id} failed: ${error instanceof Error ? error.message : String(error)}`),
  },
  delays: { stopDeadline: stopDeadlinesMs.actors },
  guards: {
    nobodyAlive: ({ context }) => context.alive.length === 0,
    leaving: ({ context }) => context.leaving,
  },
}).createMachine({
  id: 'system',
  context: ({ input }) => ({ ...input, alive: [], failure: undefined, leaving: false }),
  output: ({ context }) => ({ failure: context.failure }),
  initial: 'starting',
  states: {
    starting: {
      // Told to stop while it starts, it finishes starting first: half-open services cannot be closed in order.
      on: { stop: { actions: assign({ leaving: true }) } },
      invoke: {
        src: 'open',
        input: ({ context }) => context.services,
        onDone: [{ guard: 'leaving', target: 'closing' }, { target: 'running' }],
        onError: {
          target: 'stopped',
          actions: assign({ failure: ({ event }) => event.error }),
        },
      },
    },
    running: {
      entry: 'spawnAll',
      invoke: {
        src: 'listen',
        input: ({ context }) => context.services,
      },
      on: {
        apply: { actions: { type: 'apply', params: ({ event }) => event } },
        reconcile: { actions: 'reconcile' },
        'host.ready': { actions: 'passToDetectors' },
        stop: 'stopping',
        'xstate.done.actor.*': {
          actions: [
            { type: 'forget', params: ({ event }) => ({ id: event.actorId }) },
            // Deleted and stored anew while it was ending.
            {
              type: 'apply',
              params: ({ event }) => ({ monitorID: monitorOf(event.actorId), restart: false }),
            },
          ],
        },
        'xstate.error.actor.*': {
          actions: [
            { type: 'report', params: ({ event }) => ({ id: event.actorId, error: event.error }) },
            { type: 'forget', params: ({ event }) => ({ id: event.actorId }) },
            enqueueActions(({ event, enqueue }) => {
              const monitorID = monitorOf(event.actorId);
              enqueue.raise({ type: 'apply', monitorID, restart: false }, { delay: respawnPauseMs });
            }),
          ],
        },
      },
    },
    stopping: {
      entry: 'stopAll',
      always: { guard: 'nobodyAlive', target: 'closing' },
      after: { stopDeadline: 'closing' },
      on: {
        'xstate.done.actor.*': {
          actions: { type: 'forget', params: ({ event }) => ({ id: event.actorId }) },
        },
        'xstate.error.actor.*': {
          actions: { type: 'forget', params: ({ event }) => ({ id: event.actorId }) },
        },
      },
    },
    closing: {
      invoke: {
        src: 'close',
        input: ({ context }) => context.services,
        onDone: 'stopped',
        onError: 'stopped',
      },
    },
    stopped: { type: 'final' },
  },
});

import {
  assign,
  type DoneActorEvent,
  type ErrorActorEvent,
  enqueueActions,
  fromCallback,
  fromPromise,
  setup,
} from 'xstate';
import { stopDeadlinesMs } from '../../bus/children/stop-deadlines.ts';
import { type DetectorInput, detectorMachine } from './detector.ts';
import { detectorHostMachine } from './detector-host.ts';
import { type MonitorInput, monitorMachine } from './monitor.ts';

/**
 * The root: opens what monitors need, keeps the actors of every stored monitor alive while it opens the other services, and stops
 * everything in reverse order.
 *
 * The stored configuration decides; `apply` compares one monitor's actors with it.
 */

export type SystemEvent =
  | { type: 'apply'; monitorID: string; restart: boolean }
  /** The bus is back after an outage, in which changes of the configuration could not be announced. */
  | { type: 'reconcile' }
  /** The detector host must be started. */
  | { type: 'spawn.host' }
  /** The detector host was started or restarted and has no requests yet. */
  | { type: 'host.ready' }
  | { type: 'stop' };

/** An actor that belongs to a stored monitor: the monitor itself, or one of its detectors. */
export type MonitorChild =
  | { readonly kind: 'monitor'; readonly input: MonitorInput }
  | { readonly kind: 'detector'; readonly input: DetectorInput };

/** An actor that has not ended. */
type LivingActor =
  | { readonly kind: 'host'; readonly id: string }
  | { readonly kind: MonitorChild['kind']; readonly id: string; readonly monitorID: string };

/** The root's view of the services. */
export interface SystemServices {
  /** Opens what all actors need. If it rejects, it leaves nothing open. */
  open(): Promise<void>;
  /** Opens the rest, while actors run. After a rejection, `close` closes what it opened. */
  serve(): Promise<void>;
  /** Closes everything, once `serve` has come to an end. */
  close(): Promise<void>;
  /** Passes on commands from the bus. @returns a function that unsubscribes. */
  listen(send: (event: SystemEvent) => void): () => void;
  monitorIDs(): readonly string[];
  /** Empty if the monitor is not stored. */
  children(monitorID: string): readonly MonitorChild[];
  /** Called when the actor of a deleted monitor has ended. */
  monitorDeleted(monitorID: string): void;
  log(message: string): void;
}

interface SystemContext {
  readonly services: SystemServices;
  readonly alive: readonly LivingActor[];
  readonly failure: unknown;
  readonly leaving: boolean;
}

const respawnPauseMs = 5000;
const host: LivingActor = { kind: 'host', id: 'detector-host' };

/** XState identifies actors by a text; nothing is parsed out of it. */
function livingActor({ kind, input }: MonitorChild): LivingActor & { readonly monitorID: string } {
  if (kind === 'monitor') return { kind, id: input.config.id, monitorID: input.config.id };
  return { kind, id: `${input.monitorID}.${input.detector}`, monitorID: input.monitorID };
}

export const systemMachine = setup({
  types: {
    context: {} as SystemContext,
    events: {} as SystemEvent | DoneActorEvent | ErrorActorEvent,
    input: {} as { services: SystemServices },
    output: {} as { failure: unknown },
  },
  actors: {
    open: fromPromise<void, SystemServices>(({ input }) => input.open()),
    serve: fromPromise<void, SystemServices>(({ input }) => input.serve()),
    close: fromPromise<void, SystemServices>(({ input }) => input.close()),
    listen: fromCallback<SystemEvent, SystemServices>(({ input, sendBack }) => input.listen(sendBack)),
    monitor: monitorMachine,
    detector: detectorMachine,
    host: detectorHostMachine,
  },
  actions: {
    spawnAll: enqueueActions(({ context: { services }, enqueue }) => {
      for (const monitorID of services.monitorIDs())
        enqueue.raise({ type: 'apply', monitorID, restart: false });
      // Its start takes the time of a processor, and recording goes before detection.
      enqueue.raise({ type: 'spawn.host' });
    }),
    spawnHost: enqueueActions(({ context: { alive }, enqueue }) => {
      if (alive.some(({ kind }) => kind === 'host')) return;
      enqueue.spawnChild('host', { id: host.id });
      enqueue.assign({ alive: [...alive, host] });
    }),
    reconcile: enqueueActions(({ context: { services, alive }, enqueue }) => {
      const living = alive.flatMap((actor) => (actor.kind === 'host' ? [] : [actor.monitorID]));
      for (const monitorID of new Set([...services.monitorIDs(), ...living]))
        enqueue.raise({ type: 'apply', monitorID, restart: false });
    }),
    apply: enqueueActions(({ context, enqueue }, params: { monitorID: string; restart: boolean }) => {
      const { services, alive } = context;
      const children = services.children(params.monitorID);
      const spawned: LivingActor[] = [];
      for (const child of children) {
        const actor = livingActor(child);
        if (alive.some(({ id }) => id === actor.id)) {
          if (child.kind === 'monitor') enqueue.sendTo(actor.id, { type: 'configure', ...child.input });
          else enqueue.sendTo(actor.id, { type: 'configure', ...child.input });
          if (params.restart) enqueue.sendTo(actor.id, { type: 'restart' });
        } else {
          if (child.kind === 'monitor') enqueue.spawnChild('monitor', { id: actor.id, input: child.input });
          else enqueue.spawnChild('detector', { id: actor.id, input: child.input });
          spawned.push(actor);
        }
      }
      if (children.length === 0) {
        for (const actor of alive)
          if (actor.kind !== 'host' && actor.monitorID === params.monitorID)
            enqueue.sendTo(actor.id, { type: 'stop' });
      }
      enqueue.assign({ alive: [...alive, ...spawned] });
    }),
    /** Removes an ended actor, which XState keeps among the children until it is stopped. */
    forget: enqueueActions(({ context: { services, alive }, enqueue }, { id }: { id: string }) => {
      enqueue.stopChild(id);
      const ended = alive.find((actor) => actor.id === id);
      if (ended?.kind === 'monitor' && services.children(ended.monitorID).length === 0)
        enqueue(() => services.monitorDeleted(ended.monitorID));
      enqueue.assign({ alive: alive.filter((actor) => actor !== ended) });
    }),
    /** Requests a replacement for an ended actor; it is only started if still needed. */
    replace: enqueueActions(
      ({ context: { alive }, enqueue }, { id, afterMs }: { id: string; afterMs?: number }) => {
        const ended = alive.find((actor) => actor.id === id);
        if (!ended) return;
        const wish: SystemEvent =
          ended.kind === 'host'
            ? { type: 'spawn.host' }
            : { type: 'apply', monitorID: ended.monitorID, restart: false };
        enqueue.raise(wish, afterMs === undefined ? {} : { delay: afterMs });
      },
    ),
    passToDetectors: enqueueActions(({ context, event, enqueue }) => {
      for (const { kind, id } of context.alive) if (kind === 'detector') enqueue.sendTo(id, event);
    }),
    stopAll: enqueueActions(({ context, enqueue }) => {
      for (const { id } of context.alive) enqueue.sendTo(id, { type: 'stop' });
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
      // A stop during the start waits until the start is finished: half-open services cannot be closed in order.
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
      invoke: [
        { src: 'listen', input: ({ context }) => context.services },
        {
          src: 'serve',
          input: ({ context }) => context.services,
          onDone: {},
          onError: { target: 'stopping', actions: assign({ failure: ({ event }) => event.error }) },
        },
      ],
      on: {
        'spawn.host': { actions: 'spawnHost' },
        apply: { actions: { type: 'apply', params: ({ event }) => event } },
        reconcile: { actions: 'reconcile' },
        'host.ready': { actions: 'passToDetectors' },
        stop: 'stopping',
        'xstate.done.actor.*': {
          actions: [
            // The monitor may have been deleted and stored anew while it was ending.
            { type: 'replace', params: ({ event }) => ({ id: event.actorId }) },
            { type: 'forget', params: ({ event }) => ({ id: event.actorId }) },
          ],
        },
        'xstate.error.actor.*': {
          actions: [
            { type: 'report', params: ({ event }) => ({ id: event.actorId, error: event.error }) },
            { type: 'replace', params: ({ event }) => ({ id: event.actorId, afterMs: respawnPauseMs }) },
            { type: 'forget', params: ({ event }) => ({ id: event.actorId }) },
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

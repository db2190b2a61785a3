import { Actor, type InspectionEvent, isMachineSnapshot, StateMachine, type StateValue } from 'xstate';
import type { Log } from '../bus/log.ts';

/** A state with this tag only leads to another one, usually back to the last: passing through it is not logged. */
const passing = 'passing';

/** Machines whose actor ids begin with the monitor's id. */
const monitorMachines = ['monitor', 'detector'];

/**
 * Makes an inspector that logs each change of state, of every machine in a tree of actors, at level debug:
 * `monitor door: running.connecting → running.streaming.idle`. Actors that are not machines are left out.
 */
export function stateInspector(log: Log): (event: InspectionEvent) => void {
  const states = new WeakMap<object, string>();
  return ({ type, actorRef, ...inspected }) => {
    // The inspector also receives every event, which are many more.
    if (type !== '@xstate.snapshot' || !('snapshot' in inspected)) return;
    const { snapshot } = inspected;
    if (!(actorRef instanceof Actor) || !(actorRef.logic instanceof StateMachine)) return;
    if (!isMachineSnapshot(snapshot) || snapshot.hasTag(passing)) return;
    const [before, now] = [states.get(actorRef), stateName(snapshot.value)];
    if (now === before) return;
    states.set(actorRef, now);
    const change = before === undefined ? now : `${before} → ${now}`;
    const machine = actorRef.logic.id;
    if (monitorMachines.includes(machine)) {
      log.debug(`${machine} ${actorRef.id}: ${change}`, actorRef.id.split('.')[0]);
    } else {
      log.debug(`${machine}: ${change}`);
    }
  };
}

/** `{ running: { streaming: 'idle' } }` is `running.streaming.idle`. */
function stateName(value: StateValue): string {
  if (typeof value === 'string') return value;
  return Object.entries(value)
    .map(([parent, child]) => (child === undefined ? parent : `${parent}.${stateName(child)}`))
    .join(' ');
}

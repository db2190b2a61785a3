import type { AnyStateMachine, AnyStateNode } from 'xstate';

type Transition = AnyStateNode['always'] extends (infer One)[] | undefined ? One : never;

/** The states of a machine and the ways between them as a Mermaid diagram, made from the machine's definition. */
export function stateChart(machine: AnyStateMachine): string {
  return ['```mermaid', 'stateDiagram-v2', ...inside(machine.root, '  '), '```'].join('\n');
}

/** What is drawn within a state: its own states, where it begins, and the ways out of each. */
function inside(parent: AnyStateNode, indent: string): string[] {
  const children = Object.values(parent.states);
  const begin = parent.initial.target?.map((target) => `${indent}[*] --> ${name(target)}`) ?? [];
  return [...begin, ...children.flatMap((child) => drawn(child, parent, indent))];
}

function drawn(node: AnyStateNode, parent: AnyStateNode, indent: string): string[] {
  const state = `${indent}state "${node.key}" as ${name(node)}`;
  const body =
    node.type === 'compound' ? [`${state} {`, ...inside(node, `${indent}  `), `${indent}}`] : [state];
  const ways = new Map<AnyStateNode, string[]>();
  for (const transition of [...leaving(node), ...inherited(node, parent)]) {
    for (const target of transition.target ?? []) {
      ways.set(target, [...(ways.get(target) ?? []), label(transition, node)]);
    }
  }
  const arrows = [...ways].map(([target, labels]) => {
    const text = [...new Set(labels)].filter((one) => one !== '').join(', ');
    return `${indent}${name(node)} --> ${name(target)}${text && ` : ${text}`}`;
  });
  return [...body, ...arrows, ...(node.type === 'final' ? [`${indent}${name(node)} --> [*]`] : [])];
}

/** The ways out of a state, but not those from it to a state within it: Mermaid cannot draw these. */
function leaving(node: AnyStateNode): Transition[] {
  return all(node).filter(({ target = [] }) => !target.some((one) => isWithin(one, node)));
}

/** The ways from the state around to one within it are drawn from each of its states that does not decide itself. */
function inherited(node: AnyStateNode, parent: AnyStateNode): Transition[] {
  if (node.type === 'final') return [];
  return all(parent).filter(
    ({ target = [], eventType }) =>
      target.some((one) => isWithin(one, parent) && one !== node) &&
      !node.transitions.get(eventType)?.some(({ guard }) => guard === undefined),
  );
}

const all = (node: AnyStateNode): Transition[] => [
  ...(node.always ?? []),
  ...[...node.transitions.values()].flat(),
];

const isWithin = (node: AnyStateNode, parent: AnyStateNode): boolean =>
  node.parent !== undefined && (node.parent === parent || isWithin(node.parent, parent));

/** Keys are unique only among the states of one parent. */
const name = (node: AnyStateNode) => node.path.join('_');

function label({ eventType, guard }: Transition, { invoke }: AnyStateNode): string {
  const condition = guard === undefined ? '' : `[${guardName(guard)}]`;
  return [eventName(eventType, invoke), condition].filter((part) => part !== '').join(' ');
}

function eventName(eventType: string, invoked: AnyStateNode['invoke']): string {
  const [, kind, actor = ''] = /^xstate\.(done|error)\.actor\.(.*)$/.exec(eventType) ?? [];
  if (kind !== undefined) {
    const source = invoked.find(({ id }) => id === actor)?.src;
    const who = typeof source === 'string' ? source : 'an actor';
    return `${who} ${kind === 'done' ? 'is done' : 'failed'}`;
  }
  const delay = /^xstate\.after\.([^.]+)\./.exec(eventType)?.[1];
  return delay === undefined ? eventType : `after ${delay}`;
}

function guardName(guard: unknown): string {
  if (typeof guard === 'string') return guard;
  if (typeof guard === 'function' && 'guards' in guard) return `not ${String(guard.guards)}`;
  if (typeof guard === 'object' && guard !== null && 'type' in guard) return String(guard.type);
  throw new Error('a guard has no name: define it in `guards`');
}

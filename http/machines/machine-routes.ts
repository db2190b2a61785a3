import { Type } from 'typebox';
import type { ApiServices } from '../request/api-services.ts';
import { HttpError } from '../request/http-error.ts';
import { type Route, route } from '../request/route.ts';

const Monitors = (description: string) => Type.Array(Type.String(), { description });

const Machine = Type.Object({
  name: Type.String(),
  isThis: Type.Boolean({ description: 'Whether it is the machine that answers' }),
  isAlive: Type.Boolean({ description: 'Whether it was heard within the last three seconds' }),
  votes: Type.Boolean({ description: 'Whether it votes on who records what' }),
  capacity: Type.Union([Type.Number({ minimum: 0 }), Type.Null()], {
    description:
      'Its share of the monitors, in relation to the others; 0: it only votes; null if it is not heard',
  }),
  owned: Monitors('The monitors that it records as their owner'),
  provisional: Monitors('Those that it records because their owner is not heard to do so'),
  isWaitedFor: Type.Boolean({
    description:
      'Whether it is not heard, and the machine that answers waits to be told that it is off before it records its monitors',
  }),
});

const usual = {
  isThis: false,
  isAlive: true,
  votes: true,
  capacity: 16,
  provisional: [],
  isWaitedFor: false,
};
const example = [
  { ...usual, name: 'nvr1', isThis: true, owned: ['door', 'yard'] },
  { ...usual, name: 'nvr2', owned: ['garage'] },
  { ...usual, name: 'nvr3', isAlive: false, capacity: null, owned: [] },
];

type MachineServices = Pick<ApiServices, 'machines' | 'declareMachineOff' | 'log'>;

export function machineRoutes({ machines, declareMachineOff, log }: MachineServices): Route[] {
  return [
    route({
      method: 'GET',
      path: '/api/machines',
      access: 'admin',
      tag: 'System',
      summary: 'The machines of the cluster',
      description: 'As the machine that answers hears them. Empty where there is no cluster.',
      answers: { 200: { description: 'All machines', schema: Type.Array(Machine), example } },
      handle: () => ({ body: machines() }),
    }),
    route({
      method: 'POST',
      path: '/api/machine/off',
      access: 'admin',
      tag: 'System',
      summary: 'Say that a machine is off',
      description:
        'With `without_quorum = "wait"`, the machine that answers records the cameras of others only while it hears a majority of the voters, because those that it does not hear may be cut off and go on. If one of them is known to be off, it is said here: its vote is not waited for until it is heard again, or this machine starts anew.',
      query: Type.Object({ name: Type.String({ maxLength: 253, description: 'the name of a machine' }) }),
      answers: { 200: { description: 'Its monitors are recorded from now on' } },
      failures: ['not_found', 'conflict'],
      handle({ query: { name }, caller }) {
        const machine = machines().find((one) => one.name === name);
        if (!machine) throw new HttpError('not_found', 'There is no such machine.', { pointer: '/name' });
        if (!machine.isWaitedFor)
          throw new HttpError('conflict', 'This machine is heard, or is not waited for.', {
            pointer: '/name',
          });
        log.warning(`'${caller.username}' said that ${name} is off`);
        declareMachineOff(name);
        return {};
      },
    }),
  ];
}

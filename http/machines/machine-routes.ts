import Type from 'typebox';
import type { ApiServices } from '../request/api-services.ts';
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
});

const usual = { isThis: false, isAlive: true, votes: true, capacity: 16, provisional: [] };
const example = [
  { ...usual, name: 'nvr1', isThis: true, owned: ['door', 'yard'] },
  { ...usual, name: 'nvr2', owned: ['garage'] },
  { ...usual, name: 'nvr3', isAlive: false, capacity: null, owned: [] },
];

export function machineRoutes({ machines }: Pick<ApiServices, 'machines'>): Route[] {
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
  ];
}

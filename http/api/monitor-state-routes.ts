import { Type } from 'typebox';
import type { ApiServices } from '../request/api-services.ts';
import type { Caller } from '../request/caller.ts';
import { type Route, route } from '../request/route.ts';
import type { MonitorStates } from '../state/monitor-states.ts';
import { MonitorSummary } from '../state/monitor-summary.ts';

type StateServices = Pick<ApiServices, 'monitors'> & { readonly states: MonitorStates };

export function monitorStateRoutes({ monitors, states }: StateServices): Route[] {
  return [
    route({
      method: 'GET',
      path: '/api/monitor/states',
      access: 'user',
      limit: 'answer',
      tag: 'Monitor',
      summary: 'Names and states of all monitors that you may see',
      answers: {
        200: {
          description: 'The monitors',
          schema: Type.Array(MonitorSummary),
          example: [
            {
              ...{ id: 'door', name: 'Front door', state: 'waiting', reason: 'wrong user name or password' },
              ...{ recording: false, since: 1795405212500000 },
            },
          ],
        },
      },
      handle: ({ caller }) => ({ body: summaries(caller, { monitors, states }) }),
    }),
  ];
}

/** The monitors that a caller may see. */
export function summaries(
  caller: Pick<Caller, 'maySee'>,
  { monitors, states }: StateServices,
): readonly MonitorSummary[] {
  return monitors
    .list()
    .filter(({ id }) => caller.maySee(id))
    .map(({ id, name }) => summary(id, name, states));
}

function summary(id: string, name: string, states: MonitorStates): MonitorSummary {
  const known = states.current(id);
  if (!known) return { id, name, state: 'stopped', reason: '', recording: false, since: null };
  const { state, reason, recording, since, machine } = known;
  return { id, name, state, reason, recording, since, ...(machine !== undefined && { machine }) };
}

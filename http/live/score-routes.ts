import { Type } from 'typebox';
import { ScoreAnswer } from '../../bus/messages.ts';
import { questions } from '../../bus/subjects.ts';
import { area, percent } from '../../store/detectors/section-fields.ts';
import { MonitorID } from '../../store/monitors/monitor-config.ts';
import type { ApiServices } from '../request/api-services.ts';
import { HttpError } from '../request/http-error.ts';
import { type Route, route } from '../request/route.ts';

const Zones = Type.Object(
  {
    id: MonitorID,
    zones: Type.Array(
      Type.Object({ sensitivity: percent('a sensitivity'), area }, { description: 'a zone' }),
      { maxItems: 64, description: 'at most 64 zones' },
    ),
  },
  { additionalProperties: false, description: 'an object of id and zones' },
);

const answerMs = 2000;

export function scoreRoutes({ monitors, bus }: Pick<ApiServices, 'monitors' | 'bus'>): Route[] {
  return [
    route({
      method: 'POST',
      path: '/api/monitor/scores',
      access: 'admin',
      relay: 'monitor',
      tag: 'Live',
      summary: 'Scores of motion zones while they are drawn',
      description:
        'How much changes in these zones, in percent of their pixels, in the frames that motion detection looks at: `last` between the last two, `peak` the highest since the same zones were asked for. The zones need not be saved. Scores are computed only while they are asked for at least every 5 seconds; the first answer has none. Changes nothing.',
      body: Zones,
      bodyExample: {
        id: 'one',
        zones: [
          {
            sensitivity: 8,
            area: [
              [0, 0],
              [500_000, 0],
              [500_000, 1_000_000],
            ],
          },
        ],
      },
      answers: {
        200: {
          description: 'The scores; `isRunning` is false if the monitor has no motion detection now',
          schema: ScoreAnswer,
          example: { isRunning: true, scores: [{ last: 0.2, peak: 3.1 }] },
        },
      },
      failures: ['not_found'],
      async handle({ body: { id: monitorID, zones } }) {
        if (!monitors.get(monitorID))
          throw new HttpError('not_found', 'There is no such monitor.', { pointer: '/id' });
        try {
          return { body: await bus.ask(questions.scores, { monitorID, zones }, answerMs) };
        } catch {
          // Its process is starting, or the bus is offline.
          return { body: { isRunning: false, scores: [] } };
        }
      },
    }),
  ];
}

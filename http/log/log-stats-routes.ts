import { Type } from 'typebox';
import { logLevels } from '../../bus/messages.ts';
import { statsBuckets, statsGroups } from '../../store/log/read/stats-buckets.ts';
import type { ApiServices } from '../request/api-services.ts';
import { type Route, route } from '../request/route.ts';
import { rangeFields, rangeFilter } from './query-fields.ts';

const groupText = `some of ${statsGroups.join(', ')}`;

const StatsQuery = Type.Object({
  group: Type.Optional(
    Type.Array(Type.Enum([...statsGroups], { description: groupText }), {
      maxItems: 4,
      description: `${groupText}; counted separately`,
    }),
  ),
  bucket: Type.Optional(Type.Enum(statsBuckets, { description: `one of ${statsBuckets.join(', ')}` })),
  tz: Type.Optional(
    Type.String({
      maxLength: 64,
      description: 'a time zone, like "Europe/Berlin", in which buckets begin; UTC by default',
    }),
  ),
  ...rangeFields,
});

const StatsRow = Type.Object({
  time: Type.Optional(Type.Integer()),
  level: Type.Optional(Type.Enum(logLevels)),
  src: Type.Optional(Type.String()),
  monitorID: Type.Optional(Type.String()),
  machine: Type.Optional(Type.String()),
  count: Type.Integer(),
});

export function logStatsRoutes({ logs }: Pick<ApiServices, 'logs'>): Route[] {
  return [
    route({
      method: 'GET',
      path: '/api/log/stats',
      access: 'admin',
      tag: 'Logs',
      summary: 'Count log entries',
      description:
        'Number of entries for each combination of the fields in `group` and each period of length `bucket`; `time` is the start of the period (by the clocks of `tz`, otherwise in UTC; weeks from Monday). Combinations without entries are left out. More than 10,000 rows are refused.',
      query: StatsQuery,
      answers: {
        200: {
          description: 'The counts, in order of time, level, source, monitor and machine',
          schema: Type.Array(StatsRow),
          example: [
            { time: 1234567800000000, level: 'error', count: 2 },
            { time: 1234567800000000, level: 'info', count: 71 },
          ],
        },
      },
      failures: ['storage_failed'],
      handle: async ({ query: { group = [], bucket, tz, ...rest } }) => ({
        body: await logs.stats({
          filter: rangeFilter(rest),
          group,
          ...(bucket && { bucket }),
          ...(tz && { tz }),
        }),
      }),
    }),
  ];
}

import Type from 'typebox';
import { type Route, route } from './route.ts';
import type { Services } from './services.ts';

const SqlBody = Type.Object(
  {
    sql: Type.String({
      minLength: 1,
      maxLength: 10_000,
      description: 'a statement of 1 to 10000 characters',
    }),
  },
  { additionalProperties: false, description: 'an object with sql alone' },
);

const Value = Type.Union([Type.String(), Type.Number(), Type.Boolean(), Type.Null()]);
const SqlResult = Type.Object({
  columns: Type.Array(Type.Object({ name: Type.String(), type: Type.String() })),
  rows: Type.Array(Type.Array(Value)),
  truncated: Type.Boolean(),
});

const description = `One SELECT statement in DuckDB's SQL, with joins, subqueries, common table expressions and windows, over three views:

- \`logs\`: time, level, src, monitorID, msg
- \`events\`, a row for each detection: id, time (of the picture), storedAt (when the bus took it), monitorID, monitorName, source, label, score, x, y, width, height, object
- \`recordings\`, as far back as the log goes: id, monitorID, startTime, endTime (null while it is written)

Times are Unix times in microseconds; \`make_timestamp(time)\` makes a timestamp in UTC. Nothing but these views and functions on values can be reached. The answer has at most 10,000 rows and about 8 MB; \`truncated\` says that there were more. What is refused, wrong, or takes more than five seconds is 400 with the reason. Integers beyond 2^53, and types that JSON does not have, are texts.`;

export function logSqlRoutes({ logs }: Pick<Services, 'logs'>): Route[] {
  return [
    route({
      method: 'POST',
      path: '/api/log/sql',
      access: 'admin',
      tag: 'Logs',
      summary: 'Put a question in SQL',
      description,
      body: SqlBody,
      bodyExample: {
        sql: 'SELECT hour(make_timestamp(time)) AS hour, label, count(*) AS count FROM events GROUP BY ALL ORDER BY ALL',
      },
      answers: {
        200: {
          description: 'What the statement gives',
          schema: SqlResult,
          example: {
            columns: [
              { name: 'hour', type: 'BIGINT' },
              { name: 'label', type: 'VARCHAR' },
              { name: 'count', type: 'BIGINT' },
            ],
            rows: [
              [7, 'person', 12],
              [8, 'car', 3],
            ],
            truncated: false,
          },
        },
      },
      failures: ['storage_failed'],
      handle: async ({ body, signal }) => ({ body: await logs.sql(body.sql, signal) }),
    }),
  ];
}

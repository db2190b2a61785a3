import { Type } from 'typebox';
import type { SqlFormat } from '../../store/log/sql/sql-format.ts';
import type { ApiServices } from '../request/api-services.ts';
import { acceptedType, downloadOf } from '../request/download.ts';
import { type Route, type RouteAnswer, route } from '../request/route.ts';

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

const json = 'application/json';
const streamed: Readonly<Record<string, SqlFormat>> = {
  'text/csv': 'csv',
  'application/vnd.apache.arrow.stream': 'arrow',
};
const types = [json, ...Object.keys(streamed)] as const;

const description = `One SELECT statement in DuckDB's SQL, with joins, subqueries, common table expressions and windows, over these views, each with the rows of all machines of the cluster and a column \`machine\` (the host name where there is no cluster):

- \`logs\`: time, level, src, monitorID, msg
- \`events\`, a row for each detection: id, time (of the picture), storedAt (when the bus took it), monitorID, monitorName, source, label, score, x, y, width, height, object
- \`recordings\`, all that are on disk, and the deleted ones as far back as the log goes: id (the file's name without its ending), monitorID, stream (main or sub), startTime, endTime (null while it is written), bytes, videoCodec, width, height, audioCodec (each null where it is not known), reason (why it ended early; empty otherwise)
- \`deliveries\`, a row for each event that the MQTT broker has confirmed: id (of the event), monitorID, source, time (of the picture), storedAt (when the bus took it), deliveredAt
- \`objects\`, a row for each object followed from frame to frame: id, monitorID, label, score (the best), startTime, endTime (null while the object is in view), eventID (of the event that reported it first)
- \`states\`, a row for each state of a monitor: monitorID, state (connecting, streaming, waiting, stopping, stopped, disabled, which it is also where another machine records it, and away while the machine is not heard), reason, startTime, endTime (null for the current state), reconnect (true if the stream came back after an outage)

While another machine is not heard, what it records and sees has an end: that of what was heard last. Once it is back, its own rows say what it did.

Times are Unix times in microseconds; \`make_timestamp(time)\` makes a timestamp in UTC. A statement can read only these views and call only functions on values. Patterns (of LIKE, ILIKE, GLOB, SIMILAR TO and regular expressions) must be literals of at most 200 characters; LIKE without \`_\` may have many \`%\`, the others few. A statement that is refused, wrong, takes too long, or takes more than 640 MB of memory is answered with 400 and the reason.

The \`Accept\` header selects the format of the response:

- \`application/json\` (the default): at most 10,000 rows and about 8 MB, within 5 s; \`truncated\` is true if there were more rows. Integers beyond 2^53 and values of types that JSON lacks are strings.
- \`text/csv\` and \`application/vnd.apache.arrow.stream\`: sent while it is read, at most 10 million rows, within 2 minutes including the time that the client needs to read. Two such responses at a time; a third gets 503 with \`Retry-After\`. A response that breaks off is incomplete. In CSV, nothing between two commas is null and \`""\` is an empty string.

In any format the statement is cancelled when its client disconnects.`;

export function logSqlRoutes({ logs }: Pick<ApiServices, 'logs'>): Route[] {
  return [
    route({
      method: 'POST',
      path: '/api/log/sql',
      access: 'admin',
      tag: 'Logs',
      summary: 'Query the log and the events with SQL',
      description,
      body: SqlBody,
      bodyExample: {
        sql: 'SELECT hour(make_timestamp(time)) AS hour, label, count(*) AS count FROM events GROUP BY ALL ORDER BY ALL',
      },
      answers: {
        200: {
          description: 'The result of the statement; the schema is that of the JSON format',
          types: [...types],
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
      failures: ['unavailable', 'storage_failed'],
      async handle({ body: { sql }, headers, signal }): Promise<RouteAnswer> {
        const type = acceptedType(String(headers['accept'] ?? ''), types);
        const format = streamed[type];
        // Caches must store one response per `Accept` header.
        const vary = { headers: { Vary: 'Accept' } };
        if (!format) return { ...vary, body: await logs.sql(sql, signal) };
        const body = await downloadOf(logs.sqlStream(sql, format, signal));
        return { ...vary, type: format === 'csv' ? `${type}; charset=utf-8` : type, body };
      },
    }),
  ];
}

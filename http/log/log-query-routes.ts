import { Type } from 'typebox';
import { machinePattern } from '../../store/config/machine-name.ts';
import { PublicEntry } from '../../store/log/log-store.ts';
import type { ApiServices } from '../request/api-services.ts';
import { type Route, route } from '../request/route.ts';
import type { LogFeed } from './log-feed.ts';
import { publicEntry } from './public-entry.ts';
import { filterFields, list, textField, timeField } from './query-fields.ts';

const LogQuery = Type.Object({
  ...filterFields,
  text: textField,
  time: timeField('only entries older than this'),
  limit: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: 10_000,
      default: 100,
      description: 'a number of entries, 1 to 10000',
    }),
  ),
});

const FeedQuery = Type.Object({
  ...filterFields,
  after: timeField('begin with the entries newer than this'),
  positions: list(
    `^[0-9]{1,16}@${machinePattern}$`,
    'a list of TIME@MACHINE: begin with the entries of that machine that are newer than its time; of other machines, `after` counts',
  ),
});

const example = [
  {
    level: 'warning',
    time: 1234567890111221,
    msg: 'disk is slow',
    src: 'recorder',
    monitorID: 'a',
    machine: 'nvr1',
  },
  { level: 'error', time: 1234567890111220, msg: 'no such file', src: 'app', monitorID: '', machine: 'nvr1' },
];

type LogServices = Pick<ApiServices, 'logs' | 'machines'> & { readonly feed: LogFeed };

export function logRoutes({ logs, feed, machines }: LogServices): Route[] {
  const liveFeed = (path: string, description: string) =>
    route({
      method: 'GET',
      path,
      access: 'admin',
      tag: 'Logs',
      summary: 'Live log feed (WebSocket)',
      description,
      query: FeedQuery,
      answers: { 101: { description: 'One text frame for each entry', schema: PublicEntry } },
      messages: { logEntry: PublicEntry },
      failures: ['upgrade_required', 'unavailable'],
      // Never called: `app.ts` refuses requests without a WebSocket handshake.
      handle: () => ({ status: 426 }),
      connect: (connection, { query }) => feed.connect(connection, query),
    });
  return [
    route({
      method: 'GET',
      path: '/api/log/query',
      access: 'admin',
      tag: 'Logs',
      summary: 'Query the log',
      description:
        'Newest first. An entry must match all filters. To get the next page, pass the time of the last entry: an answer has all entries of that time, so it may be longer than `limit` where there are several machines. The times of a machine are strictly increasing. monitorID is empty if an entry concerns no monitor.',
      query: LogQuery,
      answers: { 200: { description: 'The entries', schema: Type.Array(PublicEntry), example } },
      failures: ['storage_failed'],
      async handle({ query }) {
        const entries = await logs.query({ limit: 100, ...query });
        const isShared = machines().length > 0;
        return { body: entries.map((entry) => publicEntry(entry, isShared)) };
      },
    }),
    liveFeed(
      '/api/logs',
      'One text frame for each new entry, or, with `after`, for each entry from that time on without gap or repeat. Those of one machine come in order; those of another one may come later than what was logged here after them, so remember the time of the last entry of each machine and resume with `positions`. Closes with 4401 when the account is changed or deleted, 4403 when it is no longer an admin, 4408 when the client reads its frames too slowly, 1001 when the server stops.',
    ),
    liveFeed('/api/log/feed', 'The same as /api/logs, under its older name.'),
  ];
}

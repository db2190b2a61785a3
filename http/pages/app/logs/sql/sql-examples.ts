import type { Text } from '../../texts/say.ts';

/** The views that a statement may read, with their columns; `/api` says more about each. */
export const sqlViews = {
  logs: 'time, level, src, monitorID, msg',
  events: 'id, time, storedAt, monitorID, monitorName, source, label, score, x, y, width, height, object',
  objects: 'id, monitorID, label, score, startTime, endTime, eventID',
  recordings:
    'id, monitorID, stream, startTime, endTime, bytes, videoCodec, width, height, audioCodec, reason',
  states: 'monitorID, state, reason, startTime, endTime, reconnect',
  deliveries: 'id, monitorID, source, time, storedAt, deliveredAt',
} as const;

/** Those of the README. */
export const sqlExamples: readonly { readonly title: Text; readonly sql: string }[] = [
  {
    title: { en: 'Events by hour and label', de: 'Ereignisse nach Stunde und Art' },
    sql: `SELECT isodow(make_timestamp(time)) AS day, hour(make_timestamp(time)) AS hour, label, monitorID,
  count(DISTINCT id) AS events
FROM events GROUP BY ALL ORDER BY ALL`,
  },
  {
    title: { en: 'How long events take to the broker', de: 'Wie lange Ereignisse zum Broker brauchen' },
    sql: `SELECT monitorID, quantile_cont(deliveredAt - time, 0.5) / 1000 AS p50,
  quantile_cont(deliveredAt - time, 0.95) / 1000 AS p95, quantile_cont(deliveredAt - time, 0.99) / 1000 AS p99,
  quantile_cont(storedAt - time, 0.99) / 1000 AS bus99
FROM deliveries GROUP BY monitorID`,
  },
  {
    title: {
      en: 'Uptime and reconnects in the last week',
      de: 'Laufzeit und neue Verbindungen in der letzten Woche',
    },
    sql: `WITH week AS (SELECT epoch_us(now()) - 7 * 86400000000 AS since, epoch_us(now()) AS till),
  parts AS (
    SELECT monitorID, state, reconnect AND startTime >= since AS back,
      least(coalesce(endTime, till), till) - greatest(startTime, since) AS length
    FROM states, week
    -- Time in which the recorder itself was stopped counts as downtime.
    WHERE coalesce(endTime, till) > since AND state != 'disabled')
SELECT monitorID, coalesce(sum(length) FILTER (state = 'streaming'), 0) / sum(length) AS uptime,
  count_if(back) AS reconnects
FROM parts GROUP BY monitorID`,
  },
  {
    title: { en: 'Hours and gigabytes recorded by day', de: 'Aufgenommene Stunden und Gigabyte nach Tag' },
    sql: `SELECT monitorID, stream, make_timestamp(startTime)::DATE AS day,
  count_if(reason != '') AS failures, sum(bytes) / 1e9 AS gigabytes,
  sum(coalesce(endTime, epoch_us(now())) - startTime) / 3.6e9 AS hours
FROM recordings GROUP BY ALL ORDER BY ALL`,
  },
  {
    title: { en: 'Objects that stayed longest', de: 'Objekte, die am längsten blieben' },
    sql: `SELECT monitorID, label, (endTime - startTime) / 1e6 AS seconds, eventID
FROM objects ORDER BY seconds DESC LIMIT 10`,
  },
];

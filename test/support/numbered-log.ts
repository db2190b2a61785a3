import { DuckDBInstance } from '@duckdb/node-api';

/** What a log's table holds of numbered entries, as `log-publisher.mjs` publishes them. */
export interface Numbers {
  readonly found: number;
  /** Told apart by their source and number. */
  readonly distinct: number;
  /** Entries that stand behind a later one of their source. */
  readonly disordered: number;
  /** Entries, of any kind, whose time is not later than that of the one before them. */
  readonly stuck: number;
  /** As `recording-publisher.mjs` publishes them. */
  readonly recordings: {
    readonly found: number;
    readonly distinct: number;
    /** Without an end, or with another one, another size or another reason than was published. */
    readonly wrong: number;
  };
}

/** @param file a database that nobody has open. */
export async function lookAtNumbers(file: string): Promise<Numbers> {
  const instance = await DuckDBInstance.create(file, { access_mode: 'READ_ONLY' });
  const connection = await instance.connect();
  const count = async (from: string, what = '*') =>
    Number((await connection.runAndReadAll(`SELECT count(${what}) FROM ${from}`)).getRows()[0]?.[0]);
  const numbered =
    '(SELECT src, TRY_CAST(msg AS BIGINT) AS n, time FROM log WHERE TRY_CAST(msg AS BIGINT) IS NOT NULL)';
  const recordings = "(FROM recordings WHERE monitorID = 'door')";
  const numbers = {
    found: await count(numbered),
    distinct: await count(numbered, 'DISTINCT (src, n)'),
    disordered: await count(
      `(SELECT n, lag(n) OVER (PARTITION BY src ORDER BY time) AS before FROM ${numbered}) WHERE n < before`,
    ),
    stuck: await count(
      '(SELECT time, lag(time) OVER (ORDER BY rowid) AS before FROM log) WHERE time <= before',
    ),
    recordings: {
      found: await count(recordings),
      distinct: await count(recordings, 'DISTINCT id'),
      wrong: await count(
        `${recordings} WHERE endTime IS DISTINCT FROM startTime + 1_000_000
          OR bytes != 1 + (startTime - (SELECT min(startTime) FROM ${recordings})) // 1_000_000
          OR (bytes % 10 = 0) != (reason = 'no space left on the disk')`,
      ),
    },
  };
  connection.closeSync();
  instance.closeSync();
  return numbers;
}

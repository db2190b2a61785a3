import { join } from 'node:path';
import { type DuckDBAppender, type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { expect, test } from 'vitest';
import { Mutex } from '../../../../bus/base/mutex.ts';
import type { LogEntry } from '../../../../bus/messages.ts';
import { LogWriter } from '../../../../store/log/projection/log-writer.ts';
import { Positions } from '../../../../store/log/projection/positions.ts';
import { EventMoves } from '../../../../store/log/projection/recorded-events/event-moves.ts';
import { schema } from '../../../../store/log/schema/schema.ts';
import { atEnd } from '../../../support/cleanup.ts';
import { temporaryFolder } from '../../../support/folder.ts';

const entries = (...times: number[]): LogEntry[] =>
  times.map((time) => ({ level: 'info', time, msg: `${time}`, src: 'app', monitorID: '' }));
const position = (sequence: number) => ({ identity: 's', sequence, time: sequence, readAt: 1 });

/** A writer whose commits do `instead`. */
async function start(instead: (commit: () => Promise<unknown>) => Promise<unknown>) {
  const instance = await DuckDBInstance.create(join(await temporaryFolder(), 'log.duckdb'));
  const connection = await instance.connect();
  atEnd(async () => {
    connection.closeSync();
    instance.closeSync();
  });
  await connection.run(schema);
  const run = connection.run.bind(connection);
  const appenders: DuckDBAppender[] = [];
  const odd = new Proxy(connection, {
    get(target, name) {
      if (name === 'createAppender') {
        return async (table: string) => {
          appenders.push(await target.createAppender(table));
          return appenders.at(-1);
        };
      }
      if (name !== 'run') return Reflect.get(target, name, target) as unknown;
      return (...asked: Parameters<DuckDBConnection['run']>) =>
        asked[0] === 'COMMIT' ? instead(() => run('COMMIT')) : run(...asked);
    },
  });
  const writer = new LogWriter(odd, new Positions(odd, new Mutex()), new EventMoves(odd), () => {});
  const times = async () =>
    (await connection.runAndReadAll('SELECT time FROM log ORDER BY rowid'))
      .getRows()
      .map(([time]) => Number(time));
  return { writer, times, connection, appenders };
}

test('a commit that fails after it has reached the file counts as one that was made', async () => {
  let failures = 0;
  const { writer, times } = await start(async (commit) => {
    await commit();
    failures += 1;
    throw new Error('the file could not be tidied up');
  });
  await writer.append(entries(1, 2), position(2));
  await writer.append(entries(3), position(3));
  expect(failures).toBe(2);
  expect(await times()).toEqual([1, 2, 3]);
});

test('a commit that fails leaves nothing, and the next one finds a connection that works', async () => {
  let full = true;
  const { writer, times } = await start(async (commit) => {
    if (full) throw new Error('disk full');
    return commit();
  });
  await expect(writer.append(entries(1, 2), position(2))).rejects.toThrow('disk full');
  expect(await times()).toEqual([]);
  full = false;
  await writer.append(entries(1, 2, 3), position(3));
  expect(await times()).toEqual([1, 2, 3]);
});

test('nothing of entries that could not be stored turns up later', async () => {
  const { writer, times, connection, appenders } = await start((commit) => commit());
  await connection.run('DROP TABLE log CASCADE');
  await connection.run(
    'CREATE TABLE log (time BIGINT PRIMARY KEY, level VARCHAR, src VARCHAR, monitorID VARCHAR, msg VARCHAR)',
  );
  await writer.append(entries(1), position(1));
  await expect(writer.append(entries(1, 2), position(2))).rejects.toThrow('key');
  await connection.run('DELETE FROM log');
  // As happens when it is collected as garbage.
  appenders.at(-1)?.closeSync();
  expect(await times()).toEqual([]);
});

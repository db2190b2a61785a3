import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { LogSnapshot } from '../../../../store/log/sql-process/log-snapshot.ts';
import { LogDatabase } from '../../../../store/log/worker/log-database.ts';
import { atEnd } from '../../../support/cleanup.ts';
import { smallDisk } from '../../../support/disk.ts';

test('on a disk without room for a copy it is said how much that takes, and entries are still stored', async (context) => {
  const disk = await smallDisk(150);
  if (disk === undefined) return context.skip();
  const file = join(disk, 'log.duckdb');
  const { database } = await LogDatabase.open(file);
  atEnd(() => database.close());
  const snapshot = new LogSnapshot(file, join(disk, 'sql'));
  const opened = snapshot.open(database.version);
  await expect(opened).rejects.toMatchObject({ name: 'StoreError', code: 'io' });
  await expect(opened).rejects.toThrow(/takes 2\d\d MB of free disk space/);
  expect(await readdir(join(disk, 'sql', `${process.pid}`))).toEqual([]);
  const entry = { level: 'info', time: 1, msg: 'stored', src: 'app', monitorID: '' } as const;
  await database.writer.append([entry], { identity: 's', sequence: 1, time: 1, readAt: 1 });
  expect(await database.pages.read({ limit: 1 }, false)).toEqual([entry]);
});

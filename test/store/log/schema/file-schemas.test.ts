import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { expect, test, vi } from 'vitest';
import { makeSchemas } from '../../../../store/log/schema/file-schemas.ts';
import { machinesOfFile } from '../../../../store/log/schema/machine-schema.ts';
import { nameSchema } from '../../../../store/log/schema/views.ts';

const schema = 'machine_nvr2';

async function openFile(): Promise<DuckDBConnection> {
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  await makeSchemas(connection, 'nvr1', ['nvr2']);
  expect(await machinesOfFile(connection)).toEqual([{ machine: 'nvr2', schema }]);
  await connection.run(nameSchema({ machine: 'front', schema }));
  return connection;
}

test('a start that is cut short anywhere takes no machine its name', async () => {
  const connection = await openFile();
  const run = connection.run.bind(connection);
  const known = [{ machine: 'front', schema }];
  let isWhole = false;
  let last = 1;
  for (; !isWhole; last++) {
    let statements = 0;
    vi.spyOn(connection, 'run').mockImplementation((sql, ...values) => {
      // The first begins the transaction, which is tried again.
      if (statements++ === last) throw new Error('no more');
      return run(sql, ...values);
    });
    isWhole = await makeSchemas(connection, 'nvr1', ['front']).then(
      () => true,
      () => false,
    );
    vi.restoreAllMocks();
    await run('ROLLBACK').catch(() => {});
    expect([last, await machinesOfFile(connection)]).toEqual([last, known]);
  }
  expect(last).toBeGreaterThan(10);
});

import { expect, test } from 'vitest';
import { LogDatabase } from '../../../../store/log/worker/log-database.ts';
import { SiteStreams } from '../../../../store/log/worker/site-streams.ts';
import { atEnd } from '../../../support/cleanup.ts';
import { entry, machine, startTestLog, store } from '../../../support/test-log.ts';
import { waitFor } from '../../../support/wait.ts';

test('a machine whose tables could not be read at first is read once they can, and that is reported', async () => {
  const [here, there] = [await startTestLog(), await startTestLog('nvr2')];
  const { database } = await LogDatabase.open(here.file, { machine, others: ['nvr2', 'nvr3'] });
  atEnd(() => database.close());
  const [log, former] = ['nvr2', 'nvr3'].map((name) => database.others.get(name));
  if (!log || !former) throw new Error('nothing of the other machines');
  await log.tables.writer.run('ALTER TABLE position RENAME TO kept; CREATE VIEW position AS SELECT 0 AS no');

  const reports: string[] = [];
  const read: string[] = [];
  const streams = new SiteStreams({
    ...{ address: there.server.address, machines: new Map([['nvr2', log]]), former: [former] },
    onRenamed: async () => {},
    entry: ({ msg }) => void read.push(msg),
    failures: { report: ({ message }) => reports.push(message), giveUp: () => {} },
  });
  atEnd(() => streams.close());
  streams.hear(['nvr2']);
  await waitFor(() => reports.length > 0, 10_000, 'the report');
  expect(reports[0]).toMatch(/^the log of nvr2 is not read yet: /);
  await log.tables.writer.run('DROP VIEW position; ALTER TABLE kept RENAME TO position');
  await store(there.bus, entry(1));
  await waitFor(() => read.length > 0, 10_000, 'the entry');
  expect(read).toEqual(['entry 1']);
});

import { expect, test } from 'vitest';
import { OwnTenures } from '../../../actors/cluster/ownership/own-tenures.ts';
import { TenureReports } from '../../../actors/cluster/tenure-reports.ts';
import { MachineClock } from '../../../bus/base/machine-clock.ts';
import type { Tenure } from '../../../bus/messages.ts';
import { ensureStreams, replay } from '../../../bus/nats/jetstream.ts';
import { tenures } from '../../../bus/subjects.ts';
import { startTestBus } from '../../support/bus.ts';
import { waitFor } from '../../support/wait.ts';

test('how a monitor is recorded is said at each change, and again when the clock was set', async () => {
  const { bus } = await startTestBus();
  await ensureStreams(bus, true);
  const said: [string, number | null][] = [];
  const take = ({ monitorID, token }: Tenure) => said.push([monitorID, token]);
  const reading = replay(bus, 'TENURES', tenures, 1, ({ message }) => void (message && take(message)));
  let wallUs = 1e15;
  const own = new OwnTenures('nvr1');
  const reports = new TenureReports(own, new MachineClock(() => ({ wallUs, monotonicUs: 0 })));
  reports.attach(bus);
  const heard = { isOwnerSilent: false, isElsewhere: false, hasQuorum: true };
  own.note('door', { id: 'door', owner: 'nvr1', token: 5 }, heard);
  reports.update(['door', 'yard']);
  reports.update(['door', 'yard']);
  wallUs -= 15e6;
  reports.update(['door', 'yard']);
  reports.update(['door', 'yard']);
  own.end('door');
  reports.update(['door', 'yard']);
  const all: typeof said = [
    ['door', 5],
    ['yard', null],
    ['door', 5],
    ['yard', null],
    ['door', null],
  ];
  await waitFor(() => said.length >= all.length, 10_000, 'all reports');
  expect(said).toEqual(all);
  reading.stop();
});

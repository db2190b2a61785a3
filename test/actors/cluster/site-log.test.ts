import { expect, test, vi } from 'vitest';
import { SiteLog } from '../../../actors/cluster/site-log.ts';
import { OwnerRecords } from '../../../bus/nats/control/owner-records.ts';
import { startTestBus } from '../../support/bus.ts';
import { waitFor } from '../../support/wait.ts';

const machines = ['nvr1', 'nvr2', 'new'];

/** The site log of nvr1, which has started at 0, and what it has said. */
function siteLogOf(machines: readonly string[]) {
  const said: string[] = [];
  const say = (text: string) => void said.push(text);
  const log = { error: say, warning: say, info: say, debug() {} };
  const settings = { secret: '', capacity: 16, withoutQuorum: 'record', port: 6222 } as const;
  return { siteLog: new SiteLog({ name: 'nvr1', machines, ...settings }, log, 0), said };
}

test('a voter that was replaced by one of another name is said', async () => {
  const { bus } = await startTestBus();
  const records = new OwnerRecords(bus, 1);
  await records.open();
  const { streams } = await bus.jetStream.manager;
  const info = await streams.info('OWNERS');
  const peer = (name: string) => ({ name, current: true, active: 1 });
  const nodes = { leader: 'nvr2', replicas: [peer('nvr1'), peer('old')] };
  vi.spyOn(streams, 'info').mockResolvedValue({ ...info, cluster: nodes } as typeof info);
  const holders = await records.holders();
  const { siteLog, said } = siteLogOf(machines);
  siteLog.copiesAt(holders, ['nvr1', 'nvr2', 'old']);
  expect(said).toEqual([]);
  siteLog.copiesAt(holders, machines);
  expect(said).toEqual([expect.stringMatching(/^new has no copy .* but old is to have one/)]);
});

test('a machine that is not heard because its name is not known here is told from one that may be off', async () => {
  // The first one resolves nowhere (RFC 6761).
  const { siteLog, said } = siteLogOf(['nvr1', 'nvr2.invalid', '127.0.0.3']);
  siteLog.hears([], true, 9000);
  expect(said).toEqual([]);
  for (const now of [11_000, 12_000]) siteLog.hears([], true, now);
  // Without a name server a look-up takes a while.
  await waitFor(() => said.length === 2, 30_000, 'both reasons');
  expect(said.toSorted()).toEqual([
    '127.0.0.3 is not heard: is it on, with the same secret and port?',
    'nvr2.invalid is not heard: this machine does not know the name (use addresses in `machines`, or add it to /etc/hosts)',
  ]);
});

test('machines that are not in the list are said once, those of a monitor with what follows', () => {
  const { siteLog, said } = siteLogOf(machines);
  for (const machine of ['nvr9', 'nvr9']) siteLog.hearsStranger(machine);
  siteLog.checkMachines({ id: 'door', machines: ['nvr1', 'nvr9'] });
  siteLog.checkMachines({ id: 'door', machines: ['nvr9'] });
  expect(said).toEqual([
    expect.stringMatching(/^nvr9 is heard, which is not in machines/),
    'machines: [cluster] has no nvr9',
    'machines: [cluster] has no nvr9; until it has one, any machine may record it',
  ]);
});

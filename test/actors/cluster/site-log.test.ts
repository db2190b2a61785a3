import { expect, test, vi } from 'vitest';
import { SiteLog } from '../../../actors/cluster/site-log.ts';
import { OwnerRecords } from '../../../bus/nats/control/owner-records.ts';
import { startTestBus } from '../../support/bus.ts';

const cluster = { name: 'nvr1', machines: ['nvr1', 'nvr2', 'new'] };

function openSiteLog() {
  const errors: string[] = [];
  const log = { error: (text: string) => void errors.push(text), warning() {}, info() {}, debug() {} };
  const config = { ...cluster, secret: '', capacity: 16, withoutQuorum: 'record', port: 6222 } as const;
  return { siteLog: new SiteLog(config, log, 0), errors };
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
  const { siteLog, errors } = openSiteLog();
  siteLog.copiesAt(holders, ['nvr1', 'nvr2', 'old']);
  expect(errors).toEqual([]);
  siteLog.copiesAt(holders, cluster.machines);
  expect(errors).toEqual([expect.stringMatching(/^new has no copy .* but old is to have one/)]);
});

test('machines that are not in the list are said once, those of a monitor with what follows', () => {
  const { siteLog, errors } = openSiteLog();
  for (const machine of ['nvr9', 'nvr9']) siteLog.hearsStranger(machine);
  siteLog.checkMachines({ id: 'door', machines: ['nvr1', 'nvr9'] });
  siteLog.checkMachines({ id: 'door', machines: ['nvr9'] });
  expect(errors).toEqual([
    expect.stringMatching(/^nvr9 is heard, which is not in machines/),
    'machines: [cluster] has no nvr9',
    'machines: [cluster] has no nvr9; until it has one, any machine may record it',
  ]);
});

import { once } from 'node:events';
import { connect } from 'node:tls';
import { expect, onTestFinished, test } from 'vitest';
import { Bus } from '../../bus/nats/bus.ts';
import { makeClusterKeys, newClusterSecret } from '../../bus/nats/control/cluster-keys.ts';
import { controlAddress, startControlServer } from '../../bus/nats/control/control-server.ts';
import { OwnerRecords } from '../../bus/nats/control/owner-records.ts';
import { silentLogger } from '../support/bus.ts';
import { clusterMachines, clusterSecret } from '../support/cluster.ts';
import { temporaryFolder } from '../support/folder.ts';
import { newerNatsServer } from '../support/newer-nats.ts';
import { waitFor } from '../support/wait.ts';

const port = 15_222;

/** A voter's server, and a connection to it. */
async function startVoter(machine: string) {
  const keys = await makeClusterKeys(clusterSecret, clusterMachines);
  const plane = { machine, voters: clusterMachines, port, keys };
  const log = silentLogger().source('app');
  const server = await startControlServer({ ...plane, dir: await temporaryFolder(), log });
  onTestFinished(() => server.stop());
  const bus = await Bus.connect(controlAddress(plane), machine);
  onTestFinished(() => bus.close());
  return { server, records: new OwnerRecords(bus, 3) };
}

test('a record changes only from what it was, and outlives a server', async () => {
  process.env['PATH'] = `${await newerNatsServer()}:${process.env['PATH']}`;
  const [first, second, third] = await Promise.all(clusterMachines.map(startVoter));
  if (!first || !second || !third) throw new Error('there are no voters');
  expect(await waitFor(() => first.records.read(['m']), 30_000, 'the stream')).toEqual({
    sequence: 0,
    records: [],
  });
  const claims = await Promise.all(
    [first, second].map(({ records }, index) =>
      records.change({ id: 'm', owner: `nvr${index}`, expected: 0 }),
    ),
  );
  const won = claims.filter((record) => record !== undefined);
  expect(won).toEqual([{ id: 'm', owner: expect.stringMatching(/^nvr[01]$/), token: 1 }]);
  expect(await third.records.read(['m', 'other'])).toEqual({ sequence: 1, records: won });

  const offer = { id: 'm', owner: 'nvr0', next: 'nvr2', expected: 1 };
  expect(await first.records.change({ ...offer, expectedLast: 0 })).toBeUndefined();
  expect(await first.records.change({ ...offer, expectedLast: 1 })).toMatchObject({ next: 'nvr2', token: 2 });

  await third.server.stop();
  const change = () => first.records.change({ id: 'm', owner: 'nvr2', expected: 2 });
  expect(await waitFor(change, 40_000, 'a change by the other two')).toMatchObject({ token: 3 });
});

test('a machine without the secret is turned away in the handshake', async () => {
  process.env['PATH'] = `${await newerNatsServer()}:${process.env['PATH']}`;
  const [machine = ''] = clusterMachines;
  await startVoter(machine);
  const [own, strange] = await Promise.all(
    [clusterSecret, newClusterSecret()].map((secret) => makeClusterKeys(secret, clusterMachines)),
  );
  // It takes the machine for a friend, whose certificate it does not check: the machine has to check.
  const keys = { ...strange, ca: own?.ca ?? '' };
  for (const plane of [port, port + 1, port + 2]) {
    const socket = connect({ host: machine, port: plane, rejectUnauthorized: false, ...keys });
    const [error] = await once(socket, 'error');
    expect(String(error)).toMatch(/alert|certificate/);
  }
});

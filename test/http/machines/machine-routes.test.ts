import { expect, test } from 'vitest';
import { openFrontDoor, user } from '../../support/http-server.ts';

const usual = {
  isThis: false,
  isAlive: true,
  votes: true,
  capacity: 16,
  provisional: [],
  isWaitedFor: false,
};
const machines = [
  { ...usual, name: 'nvr1', isThis: true, owned: ['door'], provisional: ['yard'] },
  { ...usual, name: 'nvr2', isAlive: false, capacity: null, owned: [], isWaitedFor: true },
];

test('admins see the machines of a cluster; so do the metrics', async () => {
  const door = await openFrontDoor({ machines: () => machines });
  expect((await door.fetch('/api/machines', {}, user)).status).toBe(403);
  expect(await (await door.fetch('/api/machines')).json()).toEqual(machines);
  const metrics = await (await door.fetch('/api/metrics')).text();
  expect(metrics.split('\n').filter((line) => line.startsWith('sentrybus_machine_'))).toEqual([
    'sentrybus_machine_alive{machine="nvr1"} 1',
    'sentrybus_machine_alive{machine="nvr2"} 0',
    'sentrybus_machine_monitors{machine="nvr1",as="owner"} 1',
    'sentrybus_machine_monitors{machine="nvr1",as="provisional"} 1',
    'sentrybus_machine_monitors{machine="nvr2",as="owner"} 0',
    'sentrybus_machine_monitors{machine="nvr2",as="provisional"} 0',
  ]);
});

test('a machine that is alone has none, and no metrics of them', async () => {
  const door = await openFrontDoor();
  expect(await (await door.fetch('/api/machines')).json()).toEqual([]);
  expect(await (await door.fetch('/api/metrics')).text()).not.toContain('sentrybus_machine');
});

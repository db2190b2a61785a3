import { expect, test } from 'vitest';
import { commands } from '../../bus/subjects.ts';
import { type FrontDoor, openFrontDoor } from '../support/http-server.ts';
import { isEnabled } from '../support/monitors.ts';

/** What becomes of a change when the system behind the bus does not answer. */

const camera = {
  id: 'cam',
  name: 'cam',
  enable: true,
  alwaysRecord: false,
  videoLength: 15,
  source: 'test',
  sourcetest: {},
};
const warnings = (door: FrontDoor) =>
  door.logged.filter(({ level }) => level === 'warning').map(({ msg, monitorID }) => [monitorID, msg]);

test('a monitor is saved all the same, with a warning, and only a restart fails', async () => {
  const door = await openFrontDoor({ answering: false });
  expect((await door.change('PUT', '/api/monitor', camera)).status).toBe(201);
  expect(door.monitors.get('cam')).toMatchObject(camera);
  expect((await door.fetch('/api/monitor/cam/motion/enable', { method: 'PATCH' })).status).toBe(200);
  expect(isEnabled(door.monitors, 'cam', 'motion')).toBe(true);
  const restarted = await door.change('POST', '/api/monitor/restart?id=cam');
  expect([restarted.status, restarted.headers.get('retry-after')]).toEqual([503, '5']);
  expect(await restarted.json()).toMatchObject({ code: 'unavailable' });
  expect((await door.change('DELETE', '/api/monitor?id=cam')).status).toBe(200);
  expect(door.monitors.get('cam')).toBeUndefined();
  const told = 'the configuration was saved; it is applied when the bus is back';
  expect(warnings(door)).toEqual([
    ['cam', told],
    ['cam', told],
    ['cam', told],
  ]);
});

test('what the system refuses is logged with its reason', async () => {
  const door = await openFrontDoor({ answering: false });
  const end = door.bus.respond(commands.apply, ['*'], () => {
    throw new Error('no room');
  });
  expect((await door.change('PUT', '/api/monitor', camera)).status).toBe(201);
  expect(warnings(door)).toEqual([['cam', 'the configuration was saved but not applied: no room']]);
  expect((await door.change('POST', '/api/monitor/restart?id=cam')).status).toBe(503);
  end();
});

test('a health check that fails says so, and nothing else', async () => {
  let well = true;
  const door = await openFrontDoor({ health: () => well });
  const check = async () => {
    const answer = await door.fetch('/api/health', {}, null);
    return [answer.status, await answer.json()];
  };
  expect(await check()).toEqual([200, { ok: true }]);
  well = false;
  expect(await check()).toEqual([503, { ok: false }]);
});

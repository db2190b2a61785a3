import { once } from 'node:events';
import { Agent } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from 'node:tls';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import {
  type ClusterKeys,
  makeClusterKeys,
  newClusterSecret,
} from '../../../bus/nats/control/cluster-keys.ts';
import { status } from '../../../bus/subjects.ts';
import { callerHeader } from '../../../http/relay/relayed-caller.ts';
import { type FrontDoor, openFrontDoor, user } from '../../support/http-server.ts';
import { fetchThrough } from '../../support/https.ts';
import { LivePipeline } from '../../support/live-pipeline.ts';
import { fragmentsFrom, statesOf } from '../../support/live-view.ts';
import { rtspMonitor } from '../../support/monitors.ts';
import { freePort } from '../../support/ports.ts';
import { TestSite } from '../../support/test-site.ts';
import { waitFor } from '../../support/wait.ts';

/** Two real servers; what the machines would hear of each other is what a test says. */

const [asking, answering, away] = ['127.0.0.2', '127.0.0.1', '127.0.0.3'] as const;
const machines = [asking, answering, away];
const monitorID = 'door';

let keys: ClusterKeys;
let relayPort: number;
let site: TestSite;
let here: FrontDoor;
let there: FrontDoor;
beforeAll(async () => {
  keys = await makeClusterKeys(newClusterSecret(), machines);
  relayPort = await freePort();
  site = new TestSite(asking, machines, keys, relayPort);
  [here, there] = await Promise.all([
    openFrontDoor({ site }),
    openFrontDoor({ site: new TestSite(answering, machines, keys, relayPort) }),
  ]);
  for (const door of [here, there])
    await door.monitors.put(rtspMonitor(monitorID, ['rtsp://127.0.0.1/main']));
  site.hear(monitorID, answering);
});

test('what only another machine can answer is asked of it, in the name of the caller', async () => {
  expect((await here.change('POST', `/api/monitor/restart?id=${monitorID}`)).status).toBe(200);
  expect(there.applied).toEqual([{ monitorID, restart: true }]);
  expect(here.applied).toEqual([]);
  expect(there.logged.map(({ msg }) => msg)).toContain("restart requested by 'admin'");

  const scores = await here.change('POST', '/api/monitor/scores', { id: monitorID, zones: [] });
  expect(await scores.json()).toEqual({ isRunning: false, scores: [] });
  const refused = await here.change('POST', `/api/monitor/restart?id=${monitorID}`, undefined, user);
  expect(refused.status).toBe(403);

  const missing = await here.change('POST', '/api/monitor/restart?id=nobody');
  expect(missing.status).toBe(404);
});

test('a source is tried by a machine that reaches its camera, which is named', async () => {
  site.away.add(away);
  onTestFinished(() => void site.away.delete(away));
  await here.monitors.put({ ...rtspMonitor('far', ['rtsp://127.0.0.1/main']), machines: [answering] });
  onTestFinished(() => here.monitors.remove('far'));
  const tried = async (fields: object) => {
    const source = { source: 'file', sourcefile: { path: 'missing.mp4', loop: false } };
    const answer = await here.change('POST', '/api/monitor/test', { ...source, ...fields });
    return (await answer.json()) as unknown;
  };
  const refused = { ok: false, reason: 'not_found' };
  for (const fields of [{}, { machines: [answering, asking] }, { machines: ['none'] }, { machines: 'odd' }])
    expect(await tried(fields)).toMatchObject({ ...refused, machine: asking });
  for (const fields of [{ machines: [away, answering] }, { id: 'far' }])
    expect(await tried(fields)).toMatchObject({ ...refused, machine: answering });
  expect(await tried({ id: 'far', machines: [asking] })).toMatchObject({ machine: asking });
  expect(await tried({ machines: [away] })).toMatchObject({ code: 'unavailable' });
});

test('states are those of the machine that records, which is named', async () => {
  const states = async () => (await (await here.fetch('/api/monitor/states')).json()) as unknown[];
  expect(await states()).toMatchObject([
    { state: 'streaming', recording: true, since: 5, machine: answering },
  ]);
});

test('live video comes from the machine that records, until another one does', async () => {
  const pipeline = new LivePipeline(there.bus, monitorID);
  const now = { monitorID, state: 'streaming', reason: '', recording: true, since: 5 } as const;
  await there.bus.store(status, [monitorID], now, 'status 1');
  const feed = await here.feed(`/api/monitor/${monitorID}/live`);
  await waitFor(() => pipeline.begins.length > 0, 10_000, 'the stream to be asked for');
  pipeline.begin('first');
  pipeline.picture('key', true);
  for (const text of ['one', 'two', 'three']) pipeline.picture(text);
  const { group, fragments } = await fragmentsFrom(feed, 3);
  expect(String(group)).toBe('init of firstkey');
  expect(fragments.map(String)).toEqual(['one', 'two', 'three']);
  expect(statesOf(feed).at(-1)).toMatchObject({ state: 'streaming' });

  site.hear(monitorID, undefined);
  expect(await feed.closed).toBe(1001);
  const local = await here.feed(`/api/monitor/${monitorID}/live`);
  site.hear(monitorID, answering);
  expect(await local.closed).toBe(1001);
});

test('a viewer who does not read is left behind by the machine that serves, and the one between keeps nothing', async () => {
  const pipeline = new LivePipeline(there.bus, monitorID);
  const slow = await here.feed(`/api/monitor/${monitorID}/live`);
  await waitFor(() => pipeline.begins.length > 0, 10_000, 'the stream to be asked for');
  pipeline.begin('second');
  pipeline.picture('key ', true);
  await fragmentsFrom(slow, 0);
  slow.socket.pause();
  const picture = Buffer.alloc(400_000, 'x');
  const send = async () => {
    pipeline.picture(picture);
    await there.bus.flush();
    await sleep(10);
  };
  // More than the kernels hold between all of them, and then for longer than he may be late.
  for (let sent = 0; sent < 80; sent += 1) await send();
  for (const end = performance.now() + 2000; performance.now() < end; ) await send();
  slow.socket.resume();
  const gap = async () => {
    pipeline.picture('key again ', true);
    await there.bus.flush();
    return slow.frames.some((text) => JSON.parse(text).type === 'gap');
  };
  await waitFor(gap, 10_000, 'the gap');
});

test('a viewer whose account is gone is cut off by the machine that let him in', async () => {
  const guest = { username: 'guest', password: 'passing by today' };
  await here.account(guest, false);
  const feed = await here.feed(`/api/monitor/${monitorID}/live`, guest);
  await feed.frame(({ type }: { type: string }) => type === 'state');
  await here.change('DELETE', '/api/account?id=guest');
  expect(await feed.closed).toBe(4401);
});

test('a machine that is away is said to be, and soon', async () => {
  site.hear(monitorID, away);
  const answer = await here.change('POST', `/api/monitor/restart?id=${monitorID}`);
  expect(answer.status).toBe(503);
  expect(answer.headers.get('retry-after')).toBe('5');
  expect(await answer.json()).toMatchObject({
    code: 'unavailable',
    detail: `${away} has to answer, and cannot be reached.`,
  });
  expect(await (await here.feed(`/api/monitor/${monitorID}/live`)).closed).toBe(1001);
  expect(here.logged.filter(({ msg }) => msg.includes('cannot be asked'))).toHaveLength(1);

  site.hear(monitorID, null);
  const nobody = await here.change('POST', `/api/monitor/restart?id=${monitorID}`);
  expect([nobody.status, await nobody.json()]).toMatchObject([
    503,
    { detail: 'No machine records this monitor.' },
  ]);
  site.hear(monitorID, answering);
});

test('the port between machines answers nobody else, and nothing else', async () => {
  const target = { host: answering, port: relayPort, ca: keys.ca };
  const stranger = connect(target);
  const [error] = await once(stranger, 'error');
  expect(String(error)).toMatch(/certificate required/);

  const caller = (isAdmin: boolean, monitors?: string[]) => {
    const text = JSON.stringify({ id: 'x', username: 'x', isAdmin, monitors });
    return { [callerHeader]: Buffer.from(text).toString('base64url') };
  };
  const agent = new Agent(keys);
  onTestFinished(() => agent.destroy());
  const ask = async (path: string, headers: Record<string, string>) =>
    (await fetchThrough(agent, `https://${answering}:${relayPort}${path}`, { method: 'POST', headers }))
      .status;
  const restart = `/api/monitor/restart?id=${monitorID}`;
  expect(await ask(restart, caller(true))).toBe(200);
  expect(await ask(restart, caller(false))).toBe(403);
  expect(await ask(restart, {})).toBe(400);
  expect(await ask(restart, { [callerHeader]: '{' })).toBe(400);
  expect(await ask('/api/account/my-token', caller(true))).toBe(404);
  expect(await ask('/api/accounts', caller(true))).toBe(404);
});

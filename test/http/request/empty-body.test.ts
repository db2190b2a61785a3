import { beforeAll, describe, expect, test } from 'vitest';
import { type FrontDoor, openFrontDoor } from '../../support/http-server.ts';
import { isEnabled } from '../../support/monitors.ts';
import { routeTable } from '../../support/route-table.ts';

/** Home Assistant's client, among others, names a type for the body that it does not send. */

const table = routeTable().filter(({ method }) => method !== 'GET');
const requests = table.map((row): [string, typeof row] => [`${row.method} ${row.path}`, row]);

let door: FrontDoor;
beforeAll(async () => {
  door = await openFrontDoor();
});

const empty: readonly Record<string, string>[] = [
  { 'content-type': 'application/octet-stream' },
  { 'content-type': 'application/octet-stream', 'content-length': '0' },
  { 'content-type': 'application/octet-stream', 'transfer-encoding': 'chunked' },
  { 'transfer-encoding': 'chunked' },
  { 'content-type': 'application/json', 'transfer-encoding': 'chunked' },
  { 'content-type': 'no type' },
  { 'content-type': '' },
];

test.each(requests)(
  '%s with an empty body is answered as if it named no type',
  async (_, { method, path }) => {
    const token = await door.token();
    const answer = async (headers: Record<string, string>) => {
      const options = { method, headers: { 'x-csrf-token': token, ...headers } };
      const response = await door.fetch(path.replace(':id', 'none'), options);
      return { status: response.status, text: await response.text() };
    };
    const plain = await answer({});
    for (const headers of empty) expect(await answer(headers), JSON.stringify(headers)).toEqual(plain);
  },
);

describe('a route without a body', () => {
  const camera = {
    id: 'cam',
    name: 'cam',
    enable: true,
    alwaysRecord: false,
    videoLength: 15,
    source: 'rtsp',
    sourcertsp: { protocol: 'tcp', mainStream: 'rtsp://127.0.0.1:8554/main' },
  };
  const toggle = async (headers: Record<string, string>, body?: string) => {
    const options = { method: 'PATCH', headers, ...(body !== undefined && { body }) };
    const { status } = await door.fetch('/api/monitor/cam/motion/enable', options);
    return [status, isEnabled(door.monitors, 'cam', 'motion')];
  };

  test('does what it is for, whatever type is named', async () => {
    for (const headers of empty) {
      await door.monitors.put(camera);
      expect(await toggle(headers), JSON.stringify(headers)).toEqual([200, true]);
    }
  });

  test('ignores a body, unless it is too large', async () => {
    await door.monitors.put(camera);
    expect(await toggle({ 'content-type': 'text/plain' }, 'not JSON')).toEqual([200, true]);
    expect((await toggle({ 'content-type': 'text/plain' }, 'x'.repeat(2_000_001)))[0]).toBe(413);
  });
});

import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readBusAddress, removeBusAddress, writeBusAddress } from '../../../bus/nats/bus-address-file.ts';
import { openTap } from '../../../bus/nats/bus-tap.ts';
import { logs } from '../../../bus/subjects.ts';
import { startTestBus } from '../../support/bus.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { waitFor } from '../../support/wait.ts';

const entry = { level: 'info', time: 1, src: 'app', monitorID: '' } as const;

test('a tap shows each message as one line, long ones cut and frames by size', async () => {
  const { server, bus } = await startTestBus();
  const lines: string[] = [];
  const tap = await openTap(server.address, '>', (line) => lines.push(line));
  bus.publish(logs, ['info', 'app', ''], { ...entry, msg: 'one\nline' });
  bus.publish(logs, ['info', 'app', ''], { ...entry, msg: 'x'.repeat(4000) });
  const frame = { format: 'gray', width: 320, height: 240, timeUs: 1, sequence: 7 } as const;
  bus.publishFrame('door', { ...frame, data: new Uint8Array(320 * 240) });
  await waitFor(() => lines.length >= 3, 5000, 'the messages');
  expect(lines[0]).toBe(`logs.info.app._ ${JSON.stringify({ ...entry, msg: 'one\nline' })}`);
  expect(lines[1]).toMatch(/^logs\.info\.app\._ .{2000}… \(40\d\d bytes\)$/);
  expect(lines[2]).toBe('frames.door.gray frame 7: 320x240, 76800 bytes');
  await tap.close();
  await tap.ended;
});

test('a tap ends with its server, and opens only with the token', async () => {
  const { server } = await startTestBus();
  const { servers } = server.address;
  await expect(openTap({ servers, token: 'guessed' }, '>', () => {})).rejects.toThrow(/[Aa]uthorization/);
  const tap = await openTap(server.address, '>', () => {});
  await server.stop();
  await tap.ended;
});

test("the bus's address is kept for the recorder's user only, until the bus is closed", async () => {
  const dir = await temporaryFolder();
  expect(await readBusAddress(dir)).toBeUndefined();
  const address = { servers: ['127.0.0.1:4222'], token: 'secret' };
  await writeBusAddress(dir, address);
  expect(await readBusAddress(dir)).toEqual(address);
  expect((await stat(join(dir, 'address.json'))).mode & 0o777).toBe(0o600);
  await removeBusAddress(dir);
  expect(await readBusAddress(dir)).toBeUndefined();
});

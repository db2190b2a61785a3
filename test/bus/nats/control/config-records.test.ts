import { expect, test, vi } from 'vitest';
import { ConfigRecords } from '../../../../bus/nats/control/config-records.ts';
import { OwnerRecords } from '../../../../bus/nats/control/owner-records.ts';
import { startTestBus } from '../../../support/bus.ts';

const record = (id: string, name: string) => ({
  ...{ kind: 'monitor', id, value: { name }, machine: 'nvr1', change: `${id} ${name}` },
});

async function openRecords() {
  const { bus } = await startTestBus();
  const records = new ConfigRecords(bus, 1);
  await records.open();
  return { bus, records };
}

test('a record of another shape is named, and counts among those that are known', async () => {
  const { bus, records } = await openRecords();
  await records.change(record('door', 'one'), 0);
  await bus.jetStream.client.publish('config.monitor.yard', '{"shape":"of tomorrow"}');
  const { changes, unread, last } = await records.after(0);
  expect(changes).toEqual([{ ...record('door', 'one'), sequence: 1 }]);
  expect([unread, last]).toEqual([[{ kind: 'monitor', id: 'yard' }], 2]);
  expect(await records.after(2)).toEqual({ changes: [], unread: [], last: 2 });
  expect(await records.change(record('door', 'two'), last)).toBe(3);
});

test('a record that is changed while all are read is there once, as it is then', async () => {
  const { bus, records } = await openRecords();
  await records.change({ ...record('door', 'one'), value: null }, 0);
  await records.change(record('yard', 'one'), 1);
  const { streams } = await bus.jetStream.manager;
  const getMessage = streams.getMessage.bind(streams);
  const spy = vi.spyOn(streams, 'getMessage').mockImplementationOnce(async (...query) => {
    const found = await getMessage(...query);
    await records.change(record('door', 'again'), 2);
    return found;
  });
  const { changes, last } = await records.after(0);
  spy.mockRestore();
  expect(changes.map(({ id, value }) => [id, value])).toEqual([
    ['yard', { name: 'one' }],
    ['door', { name: 'again' }],
  ]);
  expect(last).toBe(3);
});

test('a full stream says at once that it refuses a change', async () => {
  const { bus, records } = await openRecords();
  const { streams } = await bus.jetStream.manager;
  await streams.update('CONFIG', { max_bytes: 1000 });
  const refused = await records.change(record('door', 'x'.repeat(2000)), 0);
  expect(refused).toEqual({ refused: expect.stringContaining('maximum bytes') });
});

test('only the owners of monitors that were deleted are forgotten', async () => {
  const { bus } = await startTestBus();
  const owners = new OwnerRecords(bus, 1);
  await owners.open();
  for (const id of ['door', 'yard']) await owners.change({ id, owner: 'nvr1', expected: 0 });
  await owners.forget(['door', 'never there']);
  const { records } = await owners.read(['door', 'yard']);
  expect(records.map(({ id }) => id)).toEqual(['yard']);
});

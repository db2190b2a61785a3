import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { OwnCopy } from '../../../../actors/cluster/configuration/own-copy.ts';
import { ConfigRecords } from '../../../../bus/nats/control/config-records.ts';
import { StoreError } from '../../../../store/base/store-error.ts';
import { startTestBus, type TestBus } from '../../../support/bus.ts';
import { atEnd } from '../../../support/cleanup.ts';
import { testMonitor } from '../../../support/monitors.ts';
import { keptFolders, startMember, startPair } from '../../../support/shared-member.ts';
import { waitFor } from '../../../support/wait.ts';

const door = testMonitor('door');
const yard = testMonitor('yard');

const deleteStream = async ({ bus }: TestBus) => (await bus.jetStream.manager).streams.delete('CONFIG');

test('while the own disk is full, joining is tried again, and what the machine had is kept once', async () => {
  const bus = await startTestBus();
  const first = await startMember({ name: 'nvr1', bus, isFirst: true, monitors: [door] });
  await first.connect();
  const second = await startMember({ name: 'nvr2', bus });
  const full = new StoreError('io', 'the monitor could not be saved');
  const accept = vi.spyOn(second.monitors, 'accept').mockRejectedValue(full);
  const joining = second.connect();
  const isTriedAgain = () => {
    second.configuration.hear(first.configuration.version);
    return accept.mock.calls.length > 2;
  };
  await waitFor(isTriedAgain, 10_000, 'three attempts');
  expect(await keptFolders(second)).toHaveLength(1);
  accept.mockRestore();
  await joining;
  expect(second.monitors.list()).toEqual([door]);
  expect(await keptFolders(second)).toHaveLength(1);
});

test('a disk without room for what the machine had is said, in the log and to a person', async () => {
  const bus = await startTestBus();
  const first = await startMember({ name: 'nvr1', bus, isFirst: true, monitors: [door] });
  await first.connect();
  const second = await startMember({ name: 'nvr2', bus });
  const full = Object.assign(new Error('no space'), { code: 'ENOSPC' });
  const keep = vi.spyOn(OwnCopy.prototype, 'keep').mockRejectedValue(full);
  atEnd(async () => keep.mockRestore());
  const joining = second.connect();
  await waitFor(() => second.lines.length > 0, 10_000, 'a line');
  expect(second.lines).toEqual([
    'error: the shared configuration is not followed: what this machine had could not be kept (no space)',
  ]);
  await expect(second.monitors.put(yard)).rejects.toMatchObject({ code: 'io' });
  keep.mockRestore();
  await joining;
});

test("a file with the name of another monitor is in no one's way", async () => {
  const bus = await startTestBus();
  const first = await startMember({ name: 'nvr1', bus, isFirst: true, monitors: [door] });
  await first.connect();
  const made = await startMember({ name: 'nvr2', bus });
  await writeFile(join(made.folder, 'monitors', 'door.json'), JSON.stringify(testMonitor('demo')));
  await writeFile(join(made.folder, 'monitors', 'yard.json'), JSON.stringify(door));
  const second = await made.restart();
  await second.connect();
  expect(second.monitors.list()).toEqual([door]);
  await first.monitors.put(yard);
  await second.follow(first);
  expect(second.monitors.list()).toEqual([door, yard]);
  expect((await second.restart()).monitors.list()).toEqual([door, yard]);
});

test('what a machine cannot use it does not undo either', async () => {
  const { first, second } = await startPair([door]);
  const unknown = new StoreError('invalid', 'expected something else');
  vi.spyOn(second.monitors, 'accept').mockRejectedValueOnce(unknown);
  const newer = { ...door, name: 'newer' };
  await first.monitors.put(newer);
  await second.follow(first);
  expect(second.lines).toContain('error: monitor door cannot be used here: expected something else');
  await expect(second.monitors.setDetector('door', 'motion', true)).rejects.toMatchObject({
    code: 'conflict',
  });
  await first.monitors.put({ ...door, name: 'usable' });
  await second.follow(first);
  await second.monitors.setDetector('door', 'motion', true);
  await first.follow(second);
  expect(first.monitors.get('door')).toMatchObject({ name: 'usable', motion: { enable: true } });
});

test('a configuration of a newer version is left as it is, and others are changed', async () => {
  const { bus, first, second } = await startPair([door, yard]);
  await bus.bus.jetStream.client.publish('config.monitor.door', '{"shape":"of tomorrow"}');
  await second.monitors.put({ ...yard, name: 'garden' });
  await first.follow(second);
  expect(first.monitors.get('yard')?.name).toBe('garden');
  await expect(first.monitors.put({ ...door, name: 'x' })).rejects.toMatchObject({ code: 'conflict' });
  const back = await first.restart();
  await back.connect();
  expect(back.monitors.get('door')).toEqual(door);
});

test('a configuration that was formed anew replaces the one that is here', async () => {
  const { bus, first, second } = await startPair([door]);
  const { version } = second.configuration;
  first.configuration.close();
  await deleteStream(bus);
  const third = await startMember({ name: 'nvr3', bus, isFirst: true, monitors: [yard] });
  await third.connect();
  expect(third.configuration.version).toBe(version);
  const isHere = () => {
    second.configuration.hear(version + 1);
    return second.lines.filter((line) => line.includes('the shared configuration is here')).length === 2;
  };
  await waitFor(isHere, 10_000, 'the new configuration');
  expect(second.monitors.list()).toEqual([yard]);
  expect(await second.accounts.verify('admin', 'nvr3')).toMatchObject({ isAdmin: true });
});

test('voting machines that have lost changes are not followed, and it is said why', async () => {
  const { bus, first, second } = await startPair([door]);
  first.configuration.close();
  const records = new ConfigRecords(bus.bus, 1);
  const { changes } = await records.after(0);
  await deleteStream(bus);
  await records.open();
  const formation = changes.filter(({ kind }) => kind === 'cluster');
  for (const [index, change] of formation.entries()) await records.change(change, index);
  const isSaid = () => {
    second.configuration.hear(second.configuration.version + 1);
    return second.lines.some((line) => line.includes('is older than the one here'));
  };
  await waitFor(isSaid, 10_000, 'a line');
  expect(second.monitors.list()).toEqual([door]);
  await expect(second.monitors.put(yard)).rejects.toMatchObject({
    code: 'no_majority',
    message: expect.stringContaining('is older than the one here'),
  });
});

test('a change waits for no opening of the stream', async () => {
  const { second } = await startPair([door]);
  const open = vi.spyOn(ConfigRecords.prototype, 'open').mockReturnValue(new Promise(() => {}));
  atEnd(async () => open.mockRestore());
  const isOpening = () => {
    second.configuration.hear(second.configuration.version + 1);
    return open.mock.calls.length > 0;
  };
  await waitFor(isOpening, 10_000, 'the opening');
  await second.monitors.put(yard);
  expect(second.monitors.get('yard')).toEqual(yard);
});

test('a change that waits for a leader ends with the machine', async () => {
  const { second } = await startPair([door]);
  const change = vi.spyOn(ConfigRecords.prototype, 'change').mockResolvedValue('no leader');
  atEnd(async () => change.mockRestore());
  const ended = second.monitors.put(yard).catch((error: Error) => error);
  await waitFor(() => change.mock.calls.length > 0, 10_000, 'the proposal');
  second.configuration.close();
  expect(await ended).toMatchObject({ code: 'no_majority' });
  expect(change.mock.calls.length).toBeLessThan(5);
});

test('a full configuration is said at once', async () => {
  const { second } = await startPair([door]);
  const change = vi.spyOn(ConfigRecords.prototype, 'change').mockResolvedValue({ refused: 'full' });
  atEnd(async () => change.mockRestore());
  await expect(second.monitors.put(yard)).rejects.toMatchObject({
    code: 'io',
    message: 'nothing was changed: the voting machines refuse it (full)',
  });
});

test('a deletion whose answer was lost is not made again for a monitor that was created since', async () => {
  const { bus, first } = await startPair([door, yard]);
  const third = await startMember({ name: 'nvr3', bus });
  await third.connect();
  const own = ConfigRecords.prototype.change;
  const change = vi.spyOn(ConfigRecords.prototype, 'change').mockImplementationOnce(async function (
    this: ConfigRecords,
    ...args
  ) {
    await own.apply(this, args);
    first.configuration.hear(args[1] + 1);
    await waitFor(() => !first.monitors.get('door'), 10_000, 'the deletion');
    await first.monitors.put(door);
    throw new Error('timeout');
  });
  atEnd(async () => change.mockRestore());
  await expect(third.monitors.remove('door')).rejects.toMatchObject({
    code: 'no_majority',
    message: expect.stringContaining('it is not known'),
  });
  await third.follow(first);
  expect(first.monitors.get('door')).toEqual(door);
});

import { readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { startTestBus } from '../../../support/bus.ts';
import { testMonitor } from '../../../support/monitors.ts';
import { keptFolders, type SharedMember, startMember, startPair } from '../../../support/shared-member.ts';
import { waitFor } from '../../../support/wait.ts';

const door = testMonitor('door');
const yard = testMonitor('yard');

const stored = async ({ folder }: SharedMember, id: string) =>
  JSON.parse(await readFile(join(folder, 'monitors', `${id}.json`), 'utf8')) as object;

test('a cluster begins with what its first machine has; another one keeps what it had instead', async () => {
  const bus = await startTestBus();
  const own = { ...door, name: 'another door' };
  const second = await startMember({ name: 'nvr2', bus, monitors: [own, testMonitor('demo')] });
  const joining = second.connect();
  const first = await startMember({ name: 'nvr1', bus, isFirst: true, monitors: [door, yard] });
  await first.connect();
  await joining;

  expect(second.monitors.list()).toEqual([door, yard]);
  expect([await stored(second, 'door'), await stored(second, 'yard')]).toEqual([door, yard]);
  expect(await readdir(join(second.folder, 'monitors'))).toEqual(['door.json', 'yard.json']);
  expect(await second.accounts.verify('admin', 'nvr1')).toMatchObject({ isAdmin: true });
  expect(await second.accounts.verify('admin', 'nvr2')).toBeUndefined();
  expect(second.accounts.token('admin')).toBe(first.accounts.token('admin'));

  const [kept = ''] = await keptFolders(second);
  const read = async (name: string) =>
    JSON.parse(await readFile(join(second.folder, kept, name), 'utf8')) as object;
  expect(await readdir(join(second.folder, kept, 'monitors'))).toEqual(['demo.json', 'door.json']);
  expect(await read('monitors/door.json')).toEqual(own);
  expect(await read('accounts.json')).toMatchObject({ admin: { username: 'admin' } });
  expect(second.lines).toContainEqual(
    expect.stringMatching(
      /^warning: .*kept in .*before-cluster-.* \(differs: monitor demo, monitor door, account admin\)/,
    ),
  );
  expect([await keptFolders(first), first.lines]).toEqual([
    [],
    [
      'info: the cluster begins with the configuration of this machine: 2 monitors, 1 accounts',
      expect.anything(),
    ],
  ]);
});

test('a change is on every disk, a deletion too; one that was away catches up and keeps nothing', async () => {
  const { first, second } = await startPair([door]);
  await first.monitors.put(yard);
  await second.follow(first);
  expect(await stored(second, 'yard')).toEqual(yard);

  second.configuration.close();
  await first.monitors.remove('door');
  await first.monitors.put({ ...yard, name: 'garden' });
  await first.accounts.put({ id: 'zoe', username: 'Zoe', isAdmin: false, plainPassword: 'pass' });
  const back = await second.restart();
  // Alone, with what it has.
  expect(back.monitors.list()).toEqual([door, yard]);
  await back.connect();
  expect(back.monitors.list()).toEqual([{ ...yard, name: 'garden' }]);
  expect(await back.accounts.verify('Zoe', 'pass')).toMatchObject({ id: 'zoe' });
  expect(await keptFolders(back)).toHaveLength(1);
  expect(back.lines).toContain('deleted: door');
  await back.monitors.put(door);
  await first.follow(back);
  expect(await stored(first, 'door')).toEqual(door);
});

test('what was changed by hand meanwhile is kept; while a machine runs, its files are not read', async () => {
  const { second } = await startPair([door]);
  await rm(join(second.folder, (await keptFolders(second))[0] ?? ''), { recursive: true });
  const byHand = { ...door, name: 'by hand' };
  await writeFile(join(second.folder, 'monitors', 'door.json'), JSON.stringify(byHand));
  await expect(second.monitors.reload()).rejects.toThrow('shared by the cluster');
  expect(second.monitors.get('door')).toEqual(door);

  const back = await second.restart();
  expect(back.monitors.get('door')).toEqual(byHand);
  await back.connect();
  expect(await stored(back, 'door')).toEqual(door);
  const [kept = ''] = await keptFolders(back);
  expect(JSON.parse(await readFile(join(back.folder, kept, 'monitors', 'door.json'), 'utf8'))).toEqual(
    byHand,
  );
});

test('without a majority, or before the first machine was there, nothing is changed', async () => {
  const bus = await startTestBus();
  let isMajority = true;
  const hasMajority = () => isMajority;
  const second = await startMember({ name: 'nvr2', bus, monitors: [door], hasMajority });
  await expect(second.monitors.put(yard)).rejects.toMatchObject({ code: 'no_majority' });
  const first = await startMember({ name: 'nvr1', bus, isFirst: true, monitors: [door] });
  await first.connect();
  await second.connect();
  isMajority = false;
  const { version } = second.configuration;
  const refused = [
    second.monitors.put(yard),
    second.monitors.remove('door'),
    second.monitors.setDetector('door', 'motion', true),
    second.accounts.put({ id: 'zoe', username: 'Zoe', isAdmin: true, plainPassword: 'pass' }),
    second.accounts
      .remove('admin')
      .catch((error: Error) => Promise.reject({ ...error, code: 'no_majority' })),
  ];
  for (const change of refused) await expect(change).rejects.toMatchObject({ code: 'no_majority' });
  expect([second.monitors.list(), second.accounts.size]).toEqual([[door], 1]);
  expect(await readdir(join(second.folder, 'monitors'))).toEqual(['door.json']);
  isMajority = true;
  await second.monitors.put(yard);
  expect(second.configuration.version).toBe(version + 1);
});

test('of two changes of one monitor at once one is refused; others go through, one after the other', async () => {
  const { first, second } = await startPair([door, yard]);
  const results = await Promise.allSettled([
    first.monitors.put({ ...door, name: 'one' }),
    second.monitors.put({ ...door, name: 'two' }),
    first.monitors.setDetector('yard', 'motion', true),
    second.monitors.setDetector('yard', 'tflite', true),
    first.accounts.put({ id: 'zoe', username: 'Zoe', isAdmin: false, plainPassword: 'pass' }),
    second.accounts.put({ id: 'zoe2', username: 'Zoe', isAdmin: false, plainPassword: 'pass' }),
  ]);
  const refused = (pair: readonly PromiseSettledResult<unknown>[]) =>
    pair.flatMap((result) => (result.status === 'rejected' ? [(result.reason as Error).message] : []));
  expect(refused(results.slice(0, 2))).toEqual(['this monitor has just been changed on another machine']);
  expect(refused(results.slice(2, 4))).toEqual([]);
  // A name is checked against all that was agreed before.
  expect(refused(results.slice(4))).toEqual(['another account has this name']);
  await Promise.all([first.follow(second), second.follow(first)]);
  expect(second.monitors.list()).toEqual(first.monitors.list());
  expect(first.monitors.get('yard')).toMatchObject({ motion: { enable: true }, tflite: { enable: true } });
  expect(second.accounts.list()).toEqual(first.accounts.list());
});

test('a change whose answer was lost counts once, and one that the own disk refuses is taken over later', async () => {
  const { bus, first } = await startPair([door]);
  const third = await startMember({ name: 'nvr3', bus });
  await third.connect(1);
  const { version } = third.configuration;
  expect(await third.monitors.put(yard)).toBe('created');
  expect(third.configuration.version).toBe(version + 1);

  const folder = join(third.folder, 'monitors');
  await rename(folder, `${folder}.away`);
  await writeFile(folder, 'in the way');
  await expect(third.monitors.put({ ...yard, name: 'garden' })).rejects.toMatchObject({
    code: 'io',
    message: expect.stringContaining('the cluster may have the change'),
  });
  expect(third.monitors.get('yard')).toEqual(yard);
  await first.follow(third);
  first.configuration.hear(version + 2);
  await waitFor(() => first.monitors.get('yard')?.name === 'garden', 10_000, 'the others to have it');

  await rm(folder);
  await rename(`${folder}.away`, folder);
  await third.follow(first);
  expect(await stored(third, 'yard')).toEqual({ ...yard, name: 'garden' });
});

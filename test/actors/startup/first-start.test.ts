import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { detectors } from '../../../actors/detectors/host/detector-list.ts';
import { makeAdmin, makeDemo } from '../../../actors/startup/first-start.ts';
import { Accounts } from '../../../store/accounts/accounts.ts';
import { Monitors } from '../../../store/monitors/monitors.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { testMonitor } from '../../support/monitors.ts';

test('the first start makes an admin with a random password, the next one does not', async () => {
  const folder = await temporaryFolder();
  const accounts = await Accounts.open(folder);
  const login = await makeAdmin(accounts, undefined);
  expect(login).toEqual({ username: 'admin', password: expect.stringMatching(/^\w{16}$/) });
  expect(await accounts.verify('admin', login?.password ?? '')).toMatchObject({ isAdmin: true });
  expect(await makeAdmin(await Accounts.open(folder), undefined)).toBeUndefined();
});

test('a printed password is remembered as such until there is another one', async () => {
  const folder = await temporaryFolder();
  await makeAdmin(await Accounts.open(folder), undefined);
  const accounts = await Accounts.open(folder);
  const admin = { id: 'admin', username: 'boss', isAdmin: true };
  await accounts.put(admin);
  expect([accounts.hasInitialPassword('admin'), accounts.list()]).toEqual([true, [admin]]);
  await accounts.put({ ...admin, plainPassword: 'my own' });
  expect(accounts.hasInitialPassword('admin')).toBe(false);
  expect((await Accounts.open(folder)).hasInitialPassword('admin')).toBe(false);
});

test('a password that was given is used and not shown', async () => {
  const accounts = await Accounts.open(await temporaryFolder());
  expect(await makeAdmin(accounts, 'given')).toBeUndefined();
  expect(await accounts.verify('admin', 'given')).toMatchObject({ username: 'admin' });
  expect(accounts.hasInitialPassword('admin')).toBe(false);
});

test('beside accounts of SentryShot, whose passwords cannot be checked here, an admin gets a name of its own', async () => {
  const folder = await temporaryFolder();
  const password = '$argon2id$v=19$m=4096,t=3,p=1$c29tZXNhbHQ$JRsVLpg2EnWVCcvwU0Rkqg';
  const account = { id: 'aaaaaaaaaaaaaaaa', username: 'admin', password, isAdmin: true };
  await writeFile(join(folder, 'accounts.json'), JSON.stringify({ [account.id]: account }));
  const accounts = await Accounts.open(folder);
  expect(await makeAdmin(accounts, undefined)).toMatchObject({ username: 'admin2' });
  expect(accounts.list()).toHaveLength(2);
});

test('a demo monitor is made only where there is no monitor, not even a broken one', async () => {
  const empty = await Monitors.open(await temporaryFolder(), { detectors });
  await makeDemo(empty);
  expect(empty.list().map(({ id }) => id)).toEqual(['demo']);

  const one = await Monitors.open(await temporaryFolder(), { detectors });
  await one.put(testMonitor('door'));
  await makeDemo(one);
  expect(one.list().map(({ id }) => id)).toEqual(['door']);
});

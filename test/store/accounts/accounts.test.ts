import { chmod, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Accounts } from '../../../store/accounts/accounts.ts';
import { temporaryFolder } from '../../support/folder.ts';

const admin = { id: 'a1', username: 'admin', isAdmin: true, plainPassword: 'secret' };
const user = { id: 'u-1', username: 'Zoë', isAdmin: false, plainPassword: 'pass' };
/** SentryShot's kind of hash. */
const argon = '$argon2id$v=19$m=4096,t=3,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaGhhc2hoYXNoaGFzaGhhc2g';

async function openWith(content: unknown): Promise<Accounts> {
  const folder = await temporaryFolder();
  await writeFile(join(folder, 'accounts.json'), JSON.stringify(content));
  return Accounts.open(folder);
}

test('accounts are stored without their passwords and are there after a restart', async () => {
  const folder = await temporaryFolder();
  const accounts = await Accounts.open(folder);
  expect([accounts.size, accounts.hasAdmin]).toEqual([0, false]);
  expect(await accounts.put(admin)).toBe('created');
  expect(await accounts.put(user)).toBe('created');
  expect(await accounts.put({ ...user, username: 'Zoe' })).toBe('replaced');
  const text = await readFile(join(folder, 'accounts.json'), 'utf8');
  expect(text).not.toContain('secret');

  const again = await Accounts.open(folder);
  expect([again.size, again.hasAdmin, again.warnings]).toEqual([2, true, []]);
  expect(again.list()).toEqual([
    { id: 'a1', username: 'admin', isAdmin: true },
    { id: 'u-1', username: 'Zoe', isAdmin: false },
  ]);
  expect(await again.verify('Zoe', 'pass')).toEqual({ id: 'u-1', username: 'Zoe', isAdmin: false });
  expect(again.get('a1')).toEqual({ id: 'a1', username: 'admin', isAdmin: true });
  expect(again.get('nobody')).toBeUndefined();
});

test('only the right name with the right password is verified', async () => {
  const accounts = await Accounts.open(await temporaryFolder());
  await accounts.put(admin);
  await accounts.put({ ...user, username: 'Zoe\u0308', plainPassword: 'pa\u0308ss' });
  // However a keyboard composes its letters.
  expect((await accounts.verify('Zo\u00eb', 'p\u00e4ss'))?.id).toBe('u-1');
  for (const [name, password] of [
    ['admin', 'Secret'],
    ['admin', ''],
    ['Admin', 'secret'],
    ['', ''],
    ['nobody', 'secret'],
    ['admin', 'secret'.repeat(1000)],
    ['__proto__', 'secret'],
  ] as const) {
    expect(await accounts.verify(name, password), name).toBeUndefined();
  }
});

test('blanks around a name and marks that nobody sees are no part of it', async () => {
  const accounts = await Accounts.open(await temporaryFolder());
  await accounts.put({ ...admin, username: '\u200f admin\u200e ' });
  expect(accounts.get('a1')?.username).toBe('admin');
  expect((await accounts.verify(' \u202aadmin\u202c\u00a0', 'secret'))?.id).toBe('a1');
  await expect(accounts.put({ ...user, username: 'adm\u2066in' })).rejects.toThrow('another account has');
  await expect(accounts.put({ ...user, username: ' \u200e' })).rejects.toThrow('that can be seen');
});

test('accounts that were changed in the file by hand are taken over, a broken file is not', async () => {
  const folder = await temporaryFolder();
  const file = join(folder, 'accounts.json');
  const accounts = await Accounts.open(folder);
  await accounts.put(admin);
  await accounts.put(user);
  const [before, token] = [await readFile(file, 'utf8'), accounts.token('a1')];
  const heard: string[] = [];
  accounts.onChange((id) => heard.push(id));

  await writeFile(file, before.replace('"isAdmin": true', '"isAdmin": false'));
  await expect(accounts.reload()).rejects.toThrow('last administrator');
  await writeFile(file, before.replace('Zoë', 'Zo\u00eb').slice(0, -3));
  await expect(accounts.reload()).rejects.toThrow('expected JSON');
  await writeFile(file, Buffer.from(before, 'latin1'));
  await expect(accounts.reload()).rejects.toThrow(/line \d+, column \d+: expected UTF-8/);
  expect([heard, accounts.list().length]).toEqual([[], 2]);

  await writeFile(file, before.replace('Zoë', 'Zoe'));
  expect(await accounts.reload()).toEqual([]);
  expect([heard, accounts.get('u-1')?.username, accounts.token('a1')]).toEqual([['u-1'], 'Zoe', token]);
});

test('an unknown user and a locked one cost as much work as a wrong password', async () => {
  const accounts = await openWith({ old: { id: 'old', username: 'old', isAdmin: false, password: argon } });
  await accounts.put(admin);
  const cost = async (name: string, password: string) => {
    const before = process.cpuUsage();
    for (let n = 0; n < 3; n += 1) await accounts.verify(name, password);
    const { user, system } = process.cpuUsage(before);
    return user + system;
  };
  const wrong = await cost('admin', 'wrong');
  // Work, not time, and far from exact: without the dummy derivation the ratio is near zero.
  for (const name of ['nobody', 'old']) expect(await cost(name, 'wrong')).toBeGreaterThan(wrong / 4);
  expect(await cost('admin', 'x'.repeat(5000))).toBeGreaterThan(wrong / 4);
});

test('a password that is not given stays; one that is given replaces the old one', async () => {
  const accounts = await Accounts.open(await temporaryFolder());
  await accounts.put(admin);
  await accounts.put({ id: 'a1', username: 'root', isAdmin: true });
  expect(await accounts.verify('root', 'secret')).toBeDefined();
  await accounts.put({ ...admin, plainPassword: 'new' });
  expect(await accounts.verify('admin', 'secret')).toBeUndefined();
  expect(await accounts.verify('admin', 'new')).toBeDefined();
});

test.each([
  [{ id: '' }, '/id'],
  [{ id: 'a b' }, '/id'],
  [{ id: '../x' }, '/id'],
  [{ id: '__proto__' }, '/id'],
  [{ id: 'x'.repeat(65) }, '/id'],
  [{ id: undefined }, '/id'],
  [{ username: '' }, '/username'],
  [{ username: 'a:b' }, '/username'],
  [{ username: 'a\nb' }, '/username'],
  [{ username: 'a\u0000' }, '/username'],
  [{ username: '\ud800' }, '/username'],
  [{ username: 'é'.repeat(65) }, '/username'],
  [{ username: 1 }, '/username'],
  [{ isAdmin: 'true' }, '/isAdmin'],
  [{ plainPassword: '' }, '/plainPassword'],
  [{ plainPassword: 'x'.repeat(1025) }, '/plainPassword'],
  [{ plainPassword: undefined }, '/plainPassword'],
  [{ plainPassword: null }, '/plainPassword'],
])('an account with %j is refused at %s', async (fields, pointer) => {
  const accounts = await Accounts.open(await temporaryFolder());
  const input = { ...user, ...fields } as Parameters<Accounts['put']>[0];
  await expect(accounts.put(input)).rejects.toMatchObject({ name: 'StoreError', code: 'invalid', pointer });
  expect(accounts.size).toBe(0);
});

test('a name belongs to one account only', async () => {
  const accounts = await Accounts.open(await temporaryFolder());
  await accounts.put(user);
  await expect(accounts.put({ ...admin, username: 'Zo\u00eb' })).rejects.toMatchObject({
    code: 'conflict',
    pointer: '/username',
  });
  expect(await accounts.put({ ...user, isAdmin: true })).toBe('replaced');
});

test('the last administrator can be neither deleted nor demoted', async () => {
  const accounts = await Accounts.open(await temporaryFolder());
  await accounts.put(user);
  await accounts.put(admin);
  await expect(accounts.remove('a1')).rejects.toMatchObject({ code: 'conflict' });
  await expect(accounts.put({ ...admin, isAdmin: false })).rejects.toMatchObject({ code: 'conflict' });
  await accounts.put({ id: 'a2', username: 'other', isAdmin: true, plainPassword: 'x' });
  // Both at once: only one may win.
  const outcomes = await Promise.allSettled([accounts.remove('a1'), accounts.remove('a2')]);
  expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
  expect(accounts.hasAdmin).toBe(true);
  await accounts.remove('u-1');
  await expect(accounts.remove('u-1')).rejects.toMatchObject({ code: 'not_found' });
});

test("accounts with SentryShot's hashes are kept, locked and named in a warning", async () => {
  const old = (id: string, isAdmin: boolean) => ({ id, username: id, isAdmin, password: argon });
  const accounts = await openWith({ one: old('one', true), two: old('two', false) });
  expect([accounts.size, accounts.hasAdmin, accounts.warnings.length]).toEqual([2, false, 2]);
  expect(accounts.warnings[0]).toMatch(/account one cannot log in until its password is reset/);
  await expect(accounts.remove('one')).rejects.toMatchObject({ code: 'conflict' });
  // A locked administrator does not count beside one who can log in.
  await accounts.put(admin);
  await expect(accounts.remove('a1')).rejects.toMatchObject({ code: 'conflict' });
  await accounts.put({ id: 'one', username: 'one', isAdmin: true, plainPassword: 'fresh' });
  expect(await accounts.verify('one', 'fresh')).toBeDefined();
  await accounts.remove('a1');
});

test('of two accounts with one name the second is named in a warning', async () => {
  const same = (id: string) => ({ id, username: 'same', isAdmin: true, password: argon });
  const accounts = await openWith({ one: same('one'), two: same('two') });
  expect(accounts.warnings.some((line) => /account two .*same name/.test(line))).toBe(true);
});

test.each([
  ['not JSON', 'expected JSON'],
  ['[]', 'expected an object of accounts by id'],
  ['null', 'expected an object of accounts by id'],
  ['{"a": {"id": "a", "username": "a", "isAdmin": true}}', '/a/password'],
  ['{"a": {"id": "a", "username": "a", "isAdmin": 1, "password": "x"}}', '/a/isAdmin'],
  ['{"a": {"id": "b", "username": "a", "isAdmin": true, "password": "x"}}', '/a/id'],
])('a broken file (%s) stops the start with one line and stays as it is', async (text, expected) => {
  const folder = await temporaryFolder();
  const file = join(folder, 'accounts.json');
  await writeFile(file, text);
  const error: Error = await Accounts.open(folder).then(
    () => new Error('opened'),
    (thrown: Error) => thrown,
  );
  expect(error.message).toContain(`${file}: `);
  expect(error.message).toContain(expected);
  expect(error.message).not.toContain('\n');
  expect(await readFile(file, 'utf8')).toBe(text);
});

test('the token is 32 letters and digits, is renewed by a change of that account alone, and goes with it', async () => {
  const accounts = await Accounts.open(await temporaryFolder());
  await accounts.put(admin);
  await accounts.put(user);
  const [a, u] = [accounts.token('a1'), accounts.token('u-1')];
  expect(a).toMatch(/^[A-Za-z0-9]{32}$/);
  expect(u).not.toBe(a);
  await accounts.put({ ...user, isAdmin: true });
  expect(accounts.token('u-1')).not.toBe(u);
  expect(accounts.token('a1')).toBe(a);
  await accounts.remove('u-1');
  expect(accounts.token('u-1')).toBeUndefined();
});

test('listeners hear of each change once it counts', async () => {
  const accounts = await Accounts.open(await temporaryFolder());
  const heard: string[] = [];
  const end = accounts.onChange((id) => heard.push(`${id} ${accounts.get(id)?.isAdmin}`));
  await accounts.put(admin);
  await accounts.put(user);
  await accounts.remove('u-1');
  await accounts.put({ ...admin, isAdmin: false }).catch(() => {});
  end();
  await accounts.put(user);
  expect(heard).toEqual(['a1 true', 'u-1 false', 'u-1 undefined']);
});

test('a login that overlaps a change of the account does not succeed with what was before', async () => {
  const accounts = await Accounts.open(await temporaryFolder());
  await accounts.put(admin);
  await accounts.put(user);
  const login = accounts.verify('Zoë', 'pass');
  await accounts.remove('u-1');
  expect(await login).toBeUndefined();
});

test('when the disk fails, nothing has changed', async () => {
  const folder = await temporaryFolder();
  const accounts = await Accounts.open(folder);
  await accounts.put(admin);
  // In the way of the temporary file's rename.
  const file = join(folder, 'accounts.json');
  const before = await readFile(file, 'utf8');
  await rm(file);
  await mkdir(join(file, 'in-the-way'), { recursive: true });
  await expect(accounts.put(user)).rejects.toMatchObject({ code: 'io' });
  expect([accounts.size, accounts.token('u-1')]).toEqual([1, undefined]);
  await rm(file, { recursive: true });
  await writeFile(file, before);
  await chmod(file, 0o640);
  expect(await accounts.put(user)).toBe('created');
});

test('whatever is put, what counts is what a restart reads', async () => {
  const folder = await temporaryFolder();
  const accounts = await Accounts.open(folder);
  await accounts.put(admin);
  const text = fc.oneof(
    fc.constantFrom('a1', 'u1', 'u2', '__proto__', 'constructor'),
    fc.string({ unit: 'binary', maxLength: 70 }),
  );
  const input = fc.record(
    {
      id: text,
      username: text,
      isAdmin: fc.oneof(fc.boolean(), fc.anything()),
      plainPassword: fc.anything(),
    },
    { requiredKeys: [] },
  );
  await fc.assert(
    fc.asyncProperty(fc.oneof(input, fc.anything()), async (any) => {
      const id = (any as { id?: unknown } | null | undefined)?.id;
      await accounts.put(any as Parameters<Accounts['put']>[0]).catch((error: unknown) => {
        expect(error).toMatchObject({ name: 'StoreError' });
      });
      if (typeof id === 'string' && id.startsWith('u')) await accounts.remove(id).catch(() => {});
      expect((await Accounts.open(folder)).list()).toEqual(accounts.list());
      expect(accounts.hasAdmin).toBe(true);
    }),
    { numRuns: 150 },
  );
});

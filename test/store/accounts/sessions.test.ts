import { mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, beforeEach, expect, test } from 'vitest';
import { Accounts } from '../../../store/accounts/accounts.ts';
import { Sessions } from '../../../store/accounts/sessions.ts';
import { temporaryFolder } from '../../support/folder.ts';

const dayMs = 24 * 3_600_000;
const anna = { id: 'a', username: 'anna', isAdmin: true, plainPassword: 'right' };
const bob = { id: 'b', username: 'bob', isAdmin: false, plainPassword: 'also right' };

/** `accounts.json` with both: hashing passwords is slow by design. */
let stored: string;
let configDir: string;
let file: string;
let accounts: Accounts;
let sessions: Sessions;
let warnings: string[];
let time: number;

beforeAll(async () => {
  const folder = await temporaryFolder();
  const both = await Accounts.open(folder);
  await both.put(anna);
  await both.put(bob);
  stored = await readFile(join(folder, 'accounts.json'), 'utf8');
});

beforeEach(async () => {
  configDir = await temporaryFolder();
  file = join(configDir, 'sessions.json');
  await writeFile(join(configDir, 'accounts.json'), stored);
  accounts = await Accounts.open(configDir);
  warnings = [];
  time = Date.parse('2026-11-26T01:00:00Z');
  sessions = await open();
  return () => sessions.close();
});

const log = { error() {}, warning: (msg: string) => warnings.push(msg), info() {}, debug() {} };
const open = () => Sessions.open({ configDir, accounts, log, now: () => time });
const start = (accountID: string, replaces?: string) =>
  sessions.start({ accountID, address: '127.0.0.1', client: 'Firefox', replaces });

/** As a restart of the recorder. */
async function reopen(): Promise<void> {
  await sessions.close();
  accounts = await Accounts.open(configDir);
  sessions = await open();
}

test('a session outlives a restart; its token is stored nowhere, and its file is for the owner alone', async () => {
  const { session, token } = await start('a');
  expect(token).toMatch(/^[\w-]{43}$/);
  expect(await readFile(file, 'utf8')).not.toContain(token);
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  await reopen();
  expect(sessions.use(token)?.id).toBe(session.id);
  for (const wrong of ['', 'x', `${token}x`, token.toUpperCase(), session.id])
    expect(sessions.use(wrong)).toBeUndefined();
});

test('a session that was ended stays ended after a restart', async () => {
  const [first, second] = [await start('a'), await start('a')];
  await sessions.end(first.session.id);
  await reopen();
  expect([sessions.use(first.token), sessions.use(second.token)?.id]).toEqual([undefined, second.session.id]);
});

test('a session ends with any change of its account, and only then', async () => {
  const [ofAnna, ofBob] = [await start('a'), await start('b')];
  let ended = 0;
  sessions.onEnd(() => {
    ended += 1;
  });
  await accounts.put({ ...bob, isAdmin: true });
  expect([sessions.touch(ofAnna.session.id), sessions.touch(ofBob.session.id), ended]).toEqual([
    ...[true, false, 1],
  ]);
  const again = await start('b');
  await accounts.remove('b');
  expect(sessions.use(again.token)).toBeUndefined();
  await accounts.put(bob);
  expect(sessions.use(again.token)).toBeUndefined();
});

test('a session ends if the account was changed in its file while the recorder was stopped', async () => {
  const { token } = await start('b');
  const kept = await start('a');
  await sessions.close();
  const text = await readFile(join(configDir, 'accounts.json'), 'utf8');
  await writeFile(join(configDir, 'accounts.json'), text.replace('"isAdmin": false', '"isAdmin": true'));
  await reopen();
  expect([sessions.use(token), sessions.use(kept.token)?.accountID]).toEqual([undefined, 'a']);
});

test('a session ends a week after its last use, or a month after its login', async () => {
  const [idle, busy] = [await start('a'), await start('a')];
  for (let day = 1; day <= 30; day += 1) {
    time += dayMs;
    expect(sessions.touch(busy.session.id)).toBe(true);
  }
  expect(sessions.list().map(({ id }) => id)).toEqual([busy.session.id]);
  expect(sessions.use(idle.token)).toBeUndefined();
  time += 1;
  expect(sessions.use(busy.token)).toBeUndefined();
  expect(busy.session.expiresMs).toBe(time - 1);
});

test('the last use is known after a restart', async () => {
  const { token } = await start('a');
  for (let day = 0; day < 3; day += 1) {
    time += 6 * dayMs;
    await reopen();
    expect(sessions.use(token)).toBeDefined();
  }
});

test('a clock that begins in 1970 ends no session', async () => {
  const { token } = await start('a');
  const now = time;
  time = 0;
  await reopen();
  expect(sessions.use(token)).toBeDefined();
  time = now;
  expect(sessions.use(token)).toBeDefined();
});

test('an account has at most twenty sessions: the one that was not used for the longest time ends', async () => {
  const started = [await start('b')];
  for (let k = 0; k < 20; k += 1) {
    time += 1000;
    started.push(await start('a'));
  }
  time += 1000;
  sessions.use(started[1]?.token ?? '');
  time += 1000;
  const newest = await start('a');
  const ended = started.filter(({ token }) => sessions.use(token) === undefined);
  expect(ended.map(({ session }) => session.id)).toEqual([started[2]?.session.id]);
  expect(sessions.use(newest.token)).toBeDefined();
});

test('a new session takes the place of the one that the browser had', async () => {
  const first = await start('a');
  const second = await start('b', first.session.id);
  expect([sessions.use(first.token), sessions.use(second.token)?.accountID]).toEqual([undefined, 'b']);
});

test('a file that is broken counts as none', async () => {
  const { token } = await start('a');
  await sessions.close();
  await writeFile(file, '[{"id":"x"}]');
  sessions = await open();
  expect([sessions.use(token), warnings]).toEqual([
    undefined,
    [`${file} is broken: everybody must log in again`],
  ]);
});

test('people can log in where nothing can be written; a logout says that it may not last', async () => {
  await mkdir(file);
  const { session, token } = await start('a');
  expect([sessions.use(token)?.id, warnings.length]).toEqual([session.id, 1]);
  await expect(sessions.end(session.id)).rejects.toMatchObject({ code: 'io' });
  expect(sessions.use(token)).toBeUndefined();
  await rm(file, { recursive: true });
});

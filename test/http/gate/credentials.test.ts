import { beforeEach, describe, expect, test } from 'vitest';
import { Credentials } from '../../../http/gate/credentials.ts';
import { LoginQueue } from '../../../http/gate/login-queue.ts';
import { LoginThrottle } from '../../../http/gate/login-throttle.ts';
import { clientKey } from '../../../http/transport/client-address.ts';
import { Accounts } from '../../../store/accounts/accounts.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { authorization } from '../../support/http-server.ts';

const basic = (username: string, password: string) => authorization({ username, password })['authorization'];

describe('logins', () => {
  let accounts: Accounts;
  let credentials: Credentials;
  let warnings: string[];
  let time: number;
  let derivations: number;
  /** How many ran at the same time, at most. */
  let most: number;

  beforeEach(async () => {
    accounts = await Accounts.open(await temporaryFolder());
    await accounts.put({ id: 'a', username: 'anna', isAdmin: true, plainPassword: 'right' });
    await accounts.put({ id: 'b', username: 'bob', isAdmin: false, plainPassword: 'also right' });
    warnings = [];
    time = 0;
    derivations = 0;
    most = 0;
    let running = 0;
    const verify = accounts.verify.bind(accounts);
    accounts.verify = async (username, password) => {
      derivations += 1;
      running += 1;
      most = Math.max(most, running);
      try {
        return await verify(username, password);
      } finally {
        running -= 1;
      }
    };
    const log = { error() {}, warning: (msg: string) => warnings.push(msg), info() {}, debug() {} };
    credentials = new Credentials(accounts, log, new LoginThrottle(() => time));
    return () => credentials.close();
  });

  const login = (username: string, password: string, client = '127.0.0.1') =>
    credentials.admit(basic(username, password), client).then(
      ({ account }) => account.id,
      (error: { code: string }) => error.code,
    );

  test('a derivation is made once for the same credentials', async () => {
    expect(await login('anna', 'right')).toBe('a');
    for (let k = 0; k < 10; k += 1) expect(await login('anna', 'right')).toBe('a');
    expect(derivations).toBe(1);
  });

  test('requests that come together share one derivation', async () => {
    const all = await Promise.all(Array.from({ length: 6 }, () => login('anna', 'right')));
    expect(all).toEqual(Array(6).fill('a'));
    expect(derivations).toBe(1);
  });

  test('credentials in Latin-1 are let in as those in UTF-8 are', async () => {
    await accounts.put({ id: 'j', username: 'jürgen', isAdmin: false, plainPassword: 'café à 5' });
    for (const encoding of ['latin1', 'utf8'] as const) {
      const header = `Basic ${Buffer.from('jürgen:café à 5', encoding).toString('base64')}`;
      expect((await credentials.admit(header, '127.0.0.1')).account.id).toBe('j');
    }
    expect(warnings).toEqual([]);
  });

  test('what was verified is forgotten when that account changes, and only then', async () => {
    await login('anna', 'right');
    await login('bob', 'also right');
    await accounts.put({ id: 'b', username: 'bob', isAdmin: false, plainPassword: 'new' });
    expect(await login('anna', 'right')).toBe('a');
    expect(derivations).toBe(2);
    expect(await login('bob', 'also right')).toBe('login_failed');
    expect(await login('bob', 'new')).toBe('b');
  });

  test('a password that is changed while it is being verified lets nobody in', async () => {
    const verify = accounts.verify.bind(accounts);
    accounts.verify = async (username, password) => {
      const found = await verify(username, password);
      accounts.verify = verify;
      await accounts.put({ id: 'a', username: 'anna', isAdmin: true, plainPassword: 'newer' });
      return found;
    };
    expect(await login('anna', 'right')).toBe('login_failed');
    expect(await login('anna', 'newer')).toBe('a');
  });

  test('at most two derivations run at once, and a full line is refused', async () => {
    const logins = Array.from({ length: 40 }, (_, k) => login('anna', `guess ${k}`));
    const answers = await Promise.all(logins);
    expect(most).toBe(2);
    expect(answers.filter((code) => code === 'too_many_logins').length).toBeGreaterThanOrEqual(40 - 18);
    expect(derivations).toBeLessThanOrEqual(4);
  });

  test('one client cannot take the whole line', async () => {
    const attack = Array.from({ length: 100 }, (_, k) => login('anna', `guess ${k}`, '127.0.0.101'));
    expect(await login('bob', 'also right', '127.0.0.102')).toBe('b');
    await Promise.all(attack);
  });

  test('failures slow down their address exponentially, and no other', async () => {
    for (let k = 0; k < 3; k += 1) expect(await login('anna', 'wrong')).toBe('login_failed');
    const waits: number[] = [];
    for (let k = 0; k < 5; k += 1) {
      const refusal = await credentials.admit(basic('anna', 'right'), '127.0.0.1').catch((error) => error);
      expect(refusal.code).toBe('too_many_logins');
      const seconds = Number(refusal.headers['Retry-After']);
      waits.push(seconds);
      expect(await login('bob', 'also right', '127.0.0.102')).toBe('b');
      time += seconds * 1000;
      expect(await login('anna', 'wrong')).toBe('login_failed');
    }
    expect(waits).toEqual([1, 2, 4, 8, 16]);
  });

  test('a client whose credentials are known is not slowed down by its neighbour', async () => {
    await login('anna', 'right');
    for (let k = 0; k < 4; k += 1) await login('bob', 'wrong');
    expect(await login('bob', 'also right')).toBe('too_many_logins');
    expect(await login('anna', 'right')).toBe('a');
  });

  test('a login that succeeds ends the slowing down', async () => {
    for (let k = 0; k < 4; k += 1) await login('bob', 'wrong');
    time += 2000;
    expect(await login('bob', 'also right')).toBe('b');
    expect(await login('bob', 'wrong')).toBe('login_failed');
    expect(await login('bob', 'wrong')).toBe('login_failed');
  });

  test('a login of somebody else, however it is spelled, does not end the slowing down', async () => {
    const spellings = ['bob', ' bob', 'bob ', 'bob\u200b', 'b\u2060ob'];
    for (const name of spellings) {
      await login('anna', 'wrong');
      time += 300_000;
      expect(await login(name, 'also right')).toBe('b');
    }
    expect(derivations).toBe(spellings.length + 1);
    await login('anna', 'wrong');
    expect(await login('anna', 'right')).toBe('too_many_logins');
  });

  test('failures are logged with the address, never with what was typed', async () => {
    await login('anna', 'my secret', '127.1.2.3');
    await login('my other secret', '', '127.1.2.3');
    expect(warnings).toEqual([
      "login failed for 'anna' from 127.1.2.3",
      'login failed for an unknown user from 127.1.2.3',
    ]);
  });

  test.each([
    ['nothing', undefined],
    ['another scheme', 'Bearer abc'],
    ['no base64', 'Basic ***'],
    ['no colon', `Basic ${Buffer.from('anna').toString('base64')}`],
    ['too much', `Basic ${'A'.repeat(9000)}`],
  ])('%s costs no derivation', async (_, header) => {
    await expect(credentials.admit(header, '127.0.0.1')).rejects.toMatchObject({ code: 'login_required' });
    expect(derivations).toBe(0);
  });

  test('the scheme is written in any case, and a password may hold colons and any letters', async () => {
    await accounts.put({ id: 'c', username: 'çelik', isAdmin: false, plainPassword: 'a:b:ü€' });
    const header = basic('çelik', 'a:b:ü€')?.replace('Basic', 'bAsIc');
    expect((await credentials.admit(header, '127.0.0.1')).account.id).toBe('c');
  });
});

test('an unknown user takes as long as a wrong password', async () => {
  const accounts = await Accounts.open(await temporaryFolder());
  await accounts.put({ id: 'a', username: 'anna', isAdmin: true, plainPassword: 'right' });
  const measure = async (username: string) => {
    const begin = performance.now();
    await accounts.verify(username, 'wrong');
    return performance.now() - begin;
  };
  const known: number[] = [];
  const unknown: number[] = [];
  for (let k = 0; k < 5; k += 1) {
    known.push(await measure('anna'));
    unknown.push(await measure('nobody'));
  }
  // The least of each is without the machine's noise; without a derivation it would be a hundredth.
  expect(Math.min(...unknown)).toBeGreaterThan(Math.min(...known) / 2);
});

describe('the throttle', () => {
  test('is bounded, and forgets the oldest first', () => {
    const throttle = new LoginThrottle(() => 0);
    for (let k = 0; k < 3; k += 1) throttle.fail('first', 'anna');
    for (let k = 0; k < 5000; k += 1) throttle.fail(`client ${k}`, 'anna');
    expect(throttle.size).toBe(4096);
    expect(throttle.delay('first')).toBe(0);
  });

  test('delays five minutes at most, and forgets a quiet client', () => {
    let now = 0;
    const throttle = new LoginThrottle(() => now);
    for (let k = 0; k < 60; k += 1) throttle.fail('client', 'anna');
    expect(throttle.delay('client')).toBe(300_000);
    now += 300_000 + 900_001;
    throttle.fail('client', 'anna');
    expect(throttle.delay('client')).toBe(0);
  });
});

test('the turnstile hands its places on in order', async () => {
  const turnstile = new LoginQueue(1, 2, 2);
  const order: number[] = [];
  let open = () => {};
  const first = turnstile.run('a', () => new Promise<void>((resolve) => (open = resolve)));
  const second = turnstile.run('a', async () => void order.push(2));
  const third = turnstile.run('b', async () => void order.push(3));
  expect(turnstile.run('c', async () => {})).toBeUndefined();
  open();
  await Promise.all([first, second, third]);
  expect(order).toEqual([2, 3]);
});

test.each([
  ['127.0.0.1', '127.0.0.1'],
  ['::ffff:127.1.2.3', '127.1.2.3'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:db8:1:2::9', '2001:db8:1:2::/64'],
  ['2001:0db8::1', '2001:db8:0:0::/64'],
  ['::1', '0:0:0:0::/64'],
  ['fe80::1%eth0', 'fe80:0:0:0::/64'],
  [undefined, 'unknown'],
])('%s counts as the client %s', (address, key) => {
  expect(clientKey(address)).toBe(key);
});

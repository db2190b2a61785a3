import { isUtf8 } from 'node:buffer';
import { createHmac, randomBytes } from 'node:crypto';
import type { Log } from '../../bus/log.ts';
import type { Account, Accounts } from '../../store/accounts/accounts.ts';
import { plainName } from '../../store/accounts/accounts-file.ts';
import { HttpError } from '../request/http-error.ts';
import { LoginQueue } from './login-queue.ts';
import { LoginThrottle } from './login-throttle.ts';

/** Key derivations are slow and large by design (scrypt: 0.1 s and 32 MB each). */
const derivationsAtOnce = 2;
const maxWaiting = 64;
const maxWaitingPerClient = 16;
const cacheLimit = 1024;
/** Bytes. Fits any user name and a password of 1024 characters in any alphabet. */
const maxHeaderLength = 8192;

const challenge = { 'WWW-Authenticate': 'Basic realm="sentrybus", charset="UTF-8"' };

/** An account as it was when its credentials were verified. */
export interface Admission {
  readonly account: Account;
  readonly version: number;
}

interface Login {
  /** Hash of user name and password. */
  readonly key: string;
  readonly username: string;
  readonly password: string;
  readonly client: string;
}

/**
 * Turns an `Authorization` header, or a user name and a password, into an account.
 *
 * Verified credentials are cached as a keyed hash until the account changes, so only a client's first request pays
 * for the key derivation.
 */
export class Credentials {
  readonly #accounts: Accounts;
  readonly #log: Log;
  readonly #throttle: LoginThrottle;
  readonly #queue = new LoginQueue(derivationsAtOnce, maxWaiting, maxWaitingPerClient);
  readonly #key = randomBytes(32);
  /** Hash of user name and password → account id, least recently used first. */
  readonly #verified = new Map<string, string>();
  /** Derivations that run or wait, shared by equal logins: a browser sends its first six requests at once. */
  readonly #pending = new Map<string, Promise<Admission>>();
  /** Account id → number of its last change, counted over all accounts. An account that never changed is absent. */
  readonly #versions = new Map<string, number>();
  readonly #forgetAccounts: () => void;
  #changes = 0;

  constructor(accounts: Accounts, log: Log, throttle = new LoginThrottle()) {
    this.#accounts = accounts;
    this.#log = log;
    this.#throttle = throttle;
    this.#forgetAccounts = accounts.onChange((id) => this.#changed(id));
  }

  /** Version of an account; grows with every change of the account. */
  version(id: string): number {
    return this.#versions.get(id) ?? 0;
  }

  /**
   * @param client key under which failed logins are counted, from `clientKey`.
   * @throws {HttpError} `login_required`, `login_failed` or `too_many_logins`.
   */
  async admit(header: string | undefined, client: string): Promise<Admission> {
    const { username, password } = parseBasic(header);
    return this.verify(username, password, client);
  }

  /**
   * @param client as for {@link admit}.
   * @throws {HttpError} `login_failed` or `too_many_logins`.
   */
  async verify(username: string, password: string, client: string): Promise<Admission> {
    // As they are compared: another spelling of the same login is the same one.
    const login = { username: plainName(username), password: password.normalize('NFC') };
    const text = `${login.username}\0${login.password}`;
    const key = createHmac('sha256', this.#key).update(text).digest('base64');
    return this.#remembered(key) ?? (await this.#verifyOnce({ key, ...login, client }));
  }

  close(): void {
    this.#forgetAccounts();
  }

  #remembered(key: string): Admission | undefined {
    const id = this.#verified.get(key);
    const account = id === undefined ? undefined : this.#accounts.get(id);
    if (!account) return undefined;
    // Inserted again, so that the map stays in the order of last use.
    this.#verified.delete(key);
    this.#verified.set(key, account.id);
    return { account, version: this.version(account.id) };
  }

  #verifyOnce(login: Login): Promise<Admission> {
    // Not shared between clients: a quick answer would reveal that another client is logging in with this guess.
    const own = `${login.client} ${login.key}`;
    const running = this.#pending.get(own);
    if (running !== undefined) return running;
    const verification = this.#verify(login).finally(() => this.#pending.delete(own));
    this.#pending.set(own, verification);
    return verification;
  }

  async #verify(login: Login): Promise<Admission> {
    this.#refuseSlowed(login.client);
    const passed = this.#queue.run(login.client, async () => {
      // Again: logins of this client may have failed while this one waited.
      this.#refuseSlowed(login.client);
      const admission = await this.#derive(login);
      if (admission) this.#throttle.succeed(login.client, login.username);
      else this.#throttle.fail(login.client, login.username);
      return admission;
    });
    if (!passed) throw tooMany('Too many logins are waiting.', 1000);
    const admission = await passed;
    if (admission) return admission;
    this.#report(login);
    throw new HttpError('login_failed', 'Wrong user name or password.', { headers: challenge });
  }

  async #derive({ key, username, password }: Login): Promise<Admission | undefined> {
    for (;;) {
      const before = this.#changes;
      const found = await this.#accounts.verify(username, password);
      const account = found && this.#accounts.get(found.id);
      if (!account) return undefined;
      const version = this.version(account.id);
      // The account changed during the derivation: the verified password may be the old one.
      if (version > before) continue;
      this.#verified.set(key, account.id);
      const [oldest] = this.#verified.keys();
      if (this.#verified.size > cacheLimit && oldest !== undefined) this.#verified.delete(oldest);
      return { account, version };
    }
  }

  #refuseSlowed(client: string): void {
    const delay = this.#throttle.delay(client);
    if (delay > 0) throw tooMany('Logins from this address failed.', delay);
  }

  /** Does not log an unknown user name: it may be a password typed into the wrong field. */
  #report({ username, client }: Login): void {
    const known = this.#accounts.list().some((account) => account.username === username);
    this.#log.warning(`login failed for ${known ? `'${username}'` : 'an unknown user'} from ${client}`);
  }

  #changed(id: string): void {
    this.#changes += 1;
    for (const [key, account] of this.#verified) if (account === id) this.#verified.delete(key);
    if (this.#accounts.get(id)) this.#versions.set(id, this.#changes);
    else this.#versions.delete(id);
  }
}

/** Clients that know nothing of the challenge's `charset` send Latin-1, where UTF-8 is seldom valid. [RFC 7617] */
function parseBasic(header: string | undefined): { username: string; password: string } {
  const fail = (detail: string) => new HttpError('login_required', detail, { headers: challenge });
  if (header === undefined) throw fail('Send the user name and password of an account as basic credentials.');
  if (header.length > maxHeaderLength) throw fail('The credentials are too long.');
  const encoded = /^basic +([A-Za-z0-9+/]+={0,2}) *$/i.exec(header)?.[1];
  if (encoded === undefined) throw fail('The credentials are not basic credentials.');
  const bytes = Buffer.from(encoded, 'base64');
  const text = bytes.toString(isUtf8(bytes) ? 'utf8' : 'latin1');
  const colon = text.indexOf(':');
  if (colon < 0) throw fail('The credentials have no colon between user name and password.');
  return { username: text.slice(0, colon), password: text.slice(colon + 1) };
}

function tooMany(reason: string, delay: number): HttpError {
  const seconds = Math.ceil(delay / 1000);
  return new HttpError('too_many_logins', `${reason} Try again in ${seconds} s.`, {
    headers: { 'Retry-After': String(seconds) },
  });
}

import { createHash, randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { Mutex } from '../../bus/base/mutex.ts';
import { randomText } from '../../bus/base/random.ts';
import type { Log } from '../../bus/log.ts';
import { StoreError } from '../base/store-error.ts';
import type { Accounts } from './accounts.ts';
import { readSessions, type StoredSession, writeSessions } from './sessions-file.ts';

const hourMs = 3_600_000;
/** Past one of these a session ends. */
const maxIdleMs = 7 * 24 * hourMs;
const maxAgeMs = 30 * 24 * hourMs;
/** Past one of these the session ends that was not used for the longest time. */
const maxPerAccount = 20;
const maxSessions = 1000;
/** The last use is written this late at most, so that requests do not wear out an SD card. */
const usedWrittenEveryMs = hourMs;

/** The login of a browser. Times are Unix times in milliseconds. */
export interface Session extends Pick<StoredSession, 'id' | 'accountID' | 'address' | 'client'> {
  readonly createdMs: number;
  readonly usedMs: number;
  /** When it ends, used or not. */
  readonly expiresMs: number;
}

interface NewSession extends Pick<Session, 'accountID' | 'address' | 'client'> {
  /** The session that it takes the place of. */
  readonly replaces: string | undefined;
}

export interface SessionsOptions {
  readonly configDir: string;
  readonly accounts: Accounts;
  readonly log: Log;
  /** Unix time in milliseconds. */
  readonly now?: () => number;
}

/**
 * The sessions of people who logged in, stored in `config_dir/sessions.json` so that they outlive a restart.
 *
 * A session is known by a random token of 256 bits, of which only the hash is kept. It ends with any change of its account.
 */
export class Sessions {
  readonly #file: string;
  readonly #accounts: Accounts;
  readonly #log: Log;
  readonly #now: () => number;
  /** By the hash of their token. */
  readonly #sessions = new Map<string, StoredSession>();
  readonly #hashes = new Map<string, string>();
  readonly #listeners = new Set<() => void>();
  readonly #forgetAccounts: () => void;
  readonly #mutex = new Mutex();
  #save: Promise<void> | undefined;
  #writtenMs: number;

  private constructor(options: SessionsOptions, stored: readonly StoredSession[]) {
    this.#file = fileIn(options.configDir);
    this.#accounts = options.accounts;
    this.#log = options.log;
    this.#now = options.now ?? Date.now;
    this.#writtenMs = this.#now();
    for (const session of stored) {
      // Tells an account that was changed in its file while the recorder was stopped.
      const isSame = this.#accounts.fingerprint(session.accountID) === session.account;
      if (isSame && this.#isCurrent(session)) this.#add(session);
    }
    this.#forgetAccounts = this.#accounts.onChange((id) => this.#endAll(id));
  }

  /** A broken file counts as none: all people log in again. */
  static async open(options: SessionsOptions): Promise<Sessions> {
    const file = fileIn(options.configDir);
    const stored = await readSessions(file);
    if (!stored) options.log.warning(`${file} is broken: everybody must log in again`);
    return new Sessions(options, stored ?? []);
  }

  /** @returns the new session, and its token: nobody can read it again. @throws {StoreError} `not_found`: no such account. */
  async start({
    accountID,
    address,
    client,
    replaces,
  }: NewSession): Promise<{ session: Session; token: string }> {
    const account = this.#accounts.fingerprint(accountID);
    if (account === undefined) throw new StoreError('not_found', 'there is no such account');
    const token = randomBytes(32).toString('base64url');
    const now = this.#now();
    const stored = {
      ...{ id: randomText(22), accountID, account, hash: hashOf(token) },
      ...{ createdMs: now, usedMs: now, address: address.slice(0, 64), client: printable(client) },
    };
    this.#endWhere(({ id }) => id === replaces);
    this.#add(stored);
    this.#limit(accountID);
    // On a full disk people can log in all the same; this session then ends with the recorder.
    await this.#write().catch((error: Error) => this.#log.warning(`sessions not saved: ${error.message}`));
    return { session: visible(stored), token };
  }

  /** The session of this token; counts as a use. */
  use(token: string): Session | undefined {
    const hash = /^[\w-]{43}$/.test(token) ? hashOf(token) : '';
    const session = this.#sessions.get(hash);
    return session && this.#use(session);
  }

  /** Whether a session goes on; counts as a use. Cheap enough to call for every frame. */
  touch(id: string): boolean {
    const session = this.#sessions.get(this.#hashes.get(id) ?? '');
    return session !== undefined && this.#use(session) !== undefined;
  }

  /** @returns those of one account, or all; the last used first. */
  list(accountID?: string): Session[] {
    this.#endWhere((session) => !this.#isCurrent(session));
    return [...this.#sessions.values()]
      .filter((session) => accountID === undefined || session.accountID === accountID)
      .sort((a, b) => b.usedMs - a.usedMs)
      .map(visible);
  }

  /** @throws {StoreError} `io`: the session has ended, but may be back after a restart. */
  async end(id: string): Promise<void> {
    this.#endWhere((session) => session.id === id);
    await this.#write().catch((cause: unknown) => {
      throw new StoreError('io', 'the sessions could not be saved', { cause });
    });
  }

  /** Calls `listener`, which must not throw, after sessions have ended. */
  onEnd(listener: () => void): void {
    this.#listeners.add(listener);
  }

  /** Writes the times of the last uses. */
  async close(): Promise<void> {
    this.#forgetAccounts();
    await this.#mutex.close(() => writeSessions(this.#file, [...this.#sessions.values()]).catch(() => {}));
  }

  #use(session: StoredSession): Session | undefined {
    if (!this.#isCurrent(session)) return undefined;
    const now = this.#now();
    // A clock that is set back, or begins in 1970 without a battery, makes no session look idle later.
    const used = { ...session, usedMs: Math.max(session.usedMs, now) };
    this.#sessions.set(session.hash, used);
    if (now - this.#writtenMs > usedWrittenEveryMs) this.#write().catch(() => {});
    return visible(used);
  }

  #isCurrent({ createdMs, usedMs }: StoredSession): boolean {
    const now = this.#now();
    return now - usedMs <= maxIdleMs && now - createdMs <= maxAgeMs;
  }

  #add(session: StoredSession): void {
    this.#sessions.set(session.hash, session);
    this.#hashes.set(session.id, session.hash);
  }

  #limit(accountID: string): void {
    const oldest = (sessions: readonly Session[], most: number) => {
      const ids = new Set(sessions.slice(most).map(({ id }) => id));
      if (ids.size > 0) this.#endWhere(({ id }) => ids.has(id));
    };
    oldest(this.list(accountID), maxPerAccount);
    oldest(this.list(), maxSessions);
  }

  #endAll(accountID: string): void {
    const ended = this.#endWhere((session) => session.accountID === accountID);
    // If it fails, the account's fingerprint still tells that they have ended.
    if (ended) this.#write().catch(() => {});
  }

  #endWhere(ends: (session: StoredSession) => boolean): boolean {
    const ended = [...this.#sessions.values()].filter(ends);
    for (const { id, hash } of ended) {
      this.#sessions.delete(hash);
      this.#hashes.delete(id);
    }
    if (ended.length > 0) for (const listener of this.#listeners) listener();
    return ended.length > 0;
  }

  /** Calls that come while one waits share the write that begins after them. */
  #write(): Promise<void> {
    this.#save ??= this.#mutex.runExclusive(async () => {
      this.#save = undefined;
      this.#writtenMs = this.#now();
      await writeSessions(this.#file, [...this.#sessions.values()]);
    });
    return this.#save;
  }
}

const fileIn = (configDir: string) => join(configDir, 'sessions.json');
const hashOf = (token: string) => createHash('sha256').update(token).digest('base64url');
const printable = (text: string) => text.replace(/[^\x20-\x7e]/g, '').slice(0, 200);

const visible = ({ id, accountID, createdMs, usedMs, address, client }: StoredSession): Session => ({
  ...{ id, accountID, createdMs, usedMs, address, client },
  expiresMs: createdMs + maxAgeMs,
});

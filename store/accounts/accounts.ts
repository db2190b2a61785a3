import { createHash, createHmac } from 'node:crypto';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { ensureFolder, writeAtomically } from '../../bus/base/files.ts';
import { Mutex } from '../../bus/base/mutex.ts';
import { randomText } from '../../bus/base/random.ts';
import {
  type Agreement,
  alone,
  changeRecord,
  type RecordFiles,
  type StoredRecord,
} from '../base/agreement.ts';
import { type JsonObject, plainJson } from '../base/json.ts';
import { StoreError } from '../base/store-error.ts';
import { type AccountInput, checkAccountInput } from './account-input.ts';
import {
  type Account,
  findOddities,
  plainName,
  readAccount,
  readAccounts,
  type StoredAccount,
} from './accounts-file.ts';
import { controlBy } from './administrators.ts';
import { hashPassword, verifyPassword } from './passwords.ts';

export { AccountInput } from './account-input.ts';
export type { Account } from './accounts-file.ts';

const maxPasswordLength = 1024;

/** The accounts that may log in, stored in `config_dir/accounts.json` as an object of accounts by id. */
export class Accounts implements RecordFiles {
  /** A warning for each account of the file that is not what it seems to be. */
  readonly warnings: readonly string[];
  readonly #file: string;
  readonly #accounts: Map<string, StoredAccount>;
  readonly #tokens = new Map<string, string>();
  readonly #listeners = new Set<(id: string) => void>();
  readonly #mutex = new Mutex();
  #agreement: Agreement = alone(this);
  /** What the tokens are made from where several machines accept them. */
  #tokenKey: Uint8Array | undefined;

  private constructor(file: string, accounts: Map<string, StoredAccount>) {
    this.#file = file;
    this.#accounts = accounts;
    for (const id of accounts.keys()) this.#tokens.set(id, randomText(32));
    this.warnings = findOddities(file, [...accounts.values()]);
  }

  /**
   * Reads the accounts; there may be none yet.
   *
   * @throws {StoreError} if the file is broken. It is left unchanged, so that it can be repaired by hand.
   */
  static async open(configDir: string): Promise<Accounts> {
    await ensureFolder(configDir);
    const file = join(configDir, 'accounts.json');
    const accounts = new Map<string, StoredAccount>();
    for (const account of Object.values(await readAccounts(file))) accounts.set(account.id, account);
    return new Accounts(file, accounts);
  }

  get size(): number {
    return this.#accounts.size;
  }

  /** Whether an administrator can log in. */
  get hasAdmin(): boolean {
    return controlBy(this.#accounts.values()) === 2;
  }

  /** @returns all accounts, ordered by id. */
  list(): Account[] {
    return [...this.#accounts.values()].map(visible).sort((a, b) => (a.id < b.id ? -1 : 1));
  }

  get(id: string): Account | undefined {
    const account = this.#accounts.get(id);
    return account && visible(account);
  }

  /** Whether the account still has the password that the first start printed. */
  hasInitialPassword(id: string): boolean {
    return this.#accounts.get(id)?.initialPassword ?? false;
  }

  /**
   * From now on several machines agree on changes, and those of the file by hand are refused.
   *
   * @param tokenKey makes the same CSRF tokens on all of them.
   */
  share(agreement: Agreement, tokenKey: Uint8Array): void {
    this.#agreement = agreement;
    this.#tokenKey = tokenKey;
  }

  records(): readonly StoredRecord[] {
    return [...this.#accounts.values()].map(recordOf);
  }

  /** Writes to disk first, so that accounts in memory, the ones that admit callers, are always stored. */
  async accept({ id, value }: StoredRecord): Promise<void> {
    const next = new Map(this.#accounts);
    if (value === null) next.delete(id);
    else next.set(id, readAccount(id, value));
    try {
      await writeAtomically(this.#file, `${JSON.stringify(Object.fromEntries(next), undefined, 2)}\n`);
    } catch (cause) {
      throw new StoreError('io', 'the accounts could not be saved', { cause });
    }
    this.#take(id, next.get(id));
  }

  /**
   * Creates an account, or replaces the account with this id. Without `plainPassword` the password is kept, and without
   * `monitors` the list of monitors, so that a client that knows nothing of it does not show more to an account.
   *
   * @param initialPassword whether the password was made and printed here; remembered until there is another one.
   * @throws {StoreError} `invalid`; `conflict` if the name is taken, the last administrator would be demoted, or another machine
   * has changed the account meanwhile; `no_majority`, `busy`, `io`.
   */
  put(input: AccountInput, { initialPassword = false } = {}): Promise<'created' | 'replaced'> {
    return this.#mutex.runExclusive(async () => {
      const check = () => checkAccountInput(input, [...this.#accounts.values()]);
      check();
      const before = this.#accounts.get(input.id);
      let hash: string | undefined;
      await changeRecord(this.#agreement, async () => {
        if (this.#accounts.get(input.id) !== before)
          throw new StoreError('conflict', 'this account has just been changed on another machine');
        check();
        const { id, isAdmin, plainPassword } = input;
        const isGiven = typeof plainPassword === 'string';
        if (isGiven) hash ??= await hashPassword(plainPassword);
        const isInitial = isGiven ? initialPassword : before?.initialPassword;
        const monitors =
          isAdmin || input.monitors === null ? undefined : (input.monitors ?? before?.monitors);
        const account = {
          id,
          username: plainName(input.username),
          password: hash ?? before?.password ?? '',
          isAdmin,
          ...(monitors && { monitors: [...new Set(monitors)] }),
          ...(isInitial && { initialPassword: true }),
        };
        this.#requireAdmin(new Map(this.#accounts).set(id, account));
        return recordOf(account);
      });
      return before ? 'replaced' : 'created';
    });
  }

  /**
   * Takes over what was changed in the file by hand.
   *
   * @returns the warnings for the accounts that are there now.
   * @throws {StoreError} if the file is broken, leaves no administrator, or is the copy of what several machines share; the
   * accounts are then as before.
   */
  reload(): Promise<readonly string[]> {
    return this.#mutex.runExclusive(async () => {
      const next = new Map<string, StoredAccount>();
      for (const account of Object.values(await readAccounts(this.#file))) next.set(account.id, account);
      const all = new Set([...next.keys(), ...this.#accounts.keys()]);
      const changed = [...all].filter((id) => !isDeepStrictEqual(next.get(id), this.#accounts.get(id)));
      if (this.#tokenKey && changed.length > 0) {
        throw new StoreError(
          'conflict',
          `accounts are shared by the cluster: change them in Settings or by the API, not in ${this.#file} (${changed.join(', ')})`,
        );
      }
      this.#requireAdmin(next);
      for (const id of changed) this.#take(id, next.get(id));
      return findOddities(this.#file, [...next.values()]);
    });
  }

  /** @throws {StoreError} `not_found`; `conflict` if the account is the last administrator; `no_majority`, `busy`, `io`. */
  remove(id: string): Promise<void> {
    return this.#mutex.runExclusive(() =>
      changeRecord(this.#agreement, async () => {
        const next = new Map(this.#accounts);
        if (!next.delete(id))
          throw new StoreError('not_found', 'there is no such account', { pointer: '/id' });
        this.#requireAdmin(next);
        return { kind: 'account', id, value: null };
      }),
    );
  }

  /**
   * @returns the account's CSRF token: 32 letters and digits, new after every change of the account, and where a machine is alone
   * after every start. Compare it in constant time.
   */
  token(id: string): string | undefined {
    const fingerprint = this.fingerprint(id);
    if (!this.#tokenKey || fingerprint === undefined) return this.#tokens.get(id);
    return createHmac('sha256', this.#tokenKey).update(`${id} ${fingerprint}`).digest('hex').slice(0, 32);
  }

  /**
   * @returns a digest of all that is stored of the account, its password's hash included. It is another after any change, also
   * one that was made to the file while the recorder was stopped.
   */
  fingerprint(id: string): string | undefined {
    const account = this.#accounts.get(id);
    return account && createHash('sha256').update(JSON.stringify(account)).digest('base64url');
  }

  /**
   * @returns the account with this name if the password is right. An unknown name takes as long as a wrong password:
   * one key derivation, about 0.1 s of a core. The caller must limit how many run at once.
   */
  async verify(username: string, password: string): Promise<Account | undefined> {
    const wanted = plainName(username);
    let account: StoredAccount | undefined;
    for (const one of this.#accounts.values()) {
      if (plainName(one.username) === wanted) account ??= one;
    }
    const tooLong = password.length > maxPasswordLength;
    const matches = await verifyPassword(tooLong ? undefined : account?.password, tooLong ? '' : password);
    // An account that was changed or removed during the derivation is not admitted: its password may be another now.
    if (!matches || !account || this.#accounts.get(account.id) !== account) return undefined;
    return visible(account);
  }

  /**
   * Calls `listener`, which must not throw, with the id of an account after it was created, changed or removed.
   *
   * @returns a function that unsubscribes.
   */
  onChange(listener: (id: string) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #requireAdmin(next: Map<string, StoredAccount>): void {
    if (controlBy(next.values()) >= controlBy(this.#accounts.values())) return;
    throw new StoreError('conflict', 'the last administrator cannot be demoted or deleted');
  }

  /** @param account as it is stored now; undefined if it was deleted. */
  #take(id: string, account: StoredAccount | undefined): void {
    if (account) {
      this.#accounts.set(id, account);
      this.#tokens.set(id, randomText(32));
    } else {
      this.#accounts.delete(id);
      this.#tokens.delete(id);
    }
    for (const listener of [...this.#listeners]) listener(id);
  }
}

const recordOf = (account: StoredAccount): StoredRecord => ({
  kind: 'account',
  id: account.id,
  value: plainJson(account) as JsonObject,
});

const visible = ({ id, username, isAdmin, monitors }: StoredAccount): Account => ({
  ...{ id, username, isAdmin },
  ...(monitors && !isAdmin && { monitors }),
});

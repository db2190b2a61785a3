import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import Type from 'typebox';
import { ensureFolder, writeAtomically } from '../../bus/base/files.ts';
import { Mutex } from '../../bus/base/mutex.ts';
import { randomText } from '../../bus/base/random.ts';
import { StoreError } from '../base/store-error.ts';
import { character } from '../base/text-pattern.ts';
import { compileValidator } from '../base/validator.ts';
import {
  type Account,
  findOddities,
  identity,
  monitorList,
  plainName,
  readAccounts,
  type StoredAccount,
} from './accounts-file.ts';
import { hashPassword, isForeignHash, verifyPassword } from './passwords.ts';

export type { Account } from './accounts-file.ts';

/** The body of `PUT /api/account`. */
export const AccountInput = Type.Object({
  ...identity,
  monitors: Type.Optional(
    Type.Union([monitorList, Type.Null()], {
      description:
        'a list of at most 1000 monitor ids, each of 1 to 24 letters and digits; or null for all monitors',
    }),
  ),
  plainPassword: Type.Optional(
    Type.Union([Type.String({ minLength: 1, maxLength: 1024, pattern: `^${character()}*$` }), Type.Null()], {
      description: '1 to 1024 characters',
    }),
  ),
});
export type AccountInput = Type.Static<typeof AccountInput>;

const checkInput = compileValidator(AccountInput);
const maxPasswordLength = 1024;

/** The accounts that may log in, stored in `config_dir/accounts.json` as an object of accounts by id. */
export class Accounts {
  /** A warning for each account of the file that is not what it seems to be. */
  readonly warnings: readonly string[];
  readonly #file: string;
  readonly #accounts: Map<string, StoredAccount>;
  readonly #tokens = new Map<string, string>();
  readonly #listeners = new Set<(id: string) => void>();
  readonly #mutex = new Mutex();

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
    return control(this.#accounts.values()) === 'usable';
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
   * Creates an account, or replaces the account with this id. Without `plainPassword` the password is kept, and without
   * `monitors` the list of monitors, so that a client that knows nothing of it does not show more to an account.
   *
   * @param initialPassword whether the password was made and printed here; remembered until there is another one.
   * @throws {StoreError} `invalid`; `conflict` if the name is taken or the last administrator would be demoted.
   */
  put(input: AccountInput, { initialPassword = false } = {}): Promise<'created' | 'replaced'> {
    return this.#mutex.runExclusive(async () => {
      const flaw = checkInput(input);
      if (flaw) throw new StoreError('invalid', `expected ${flaw.expected}`, { pointer: flaw.pointer });
      const { id, isAdmin, plainPassword } = input;
      if (isAdmin && input.monitors) {
        // Not ignored: it would look as if the admin saw these alone.
        throw new StoreError('invalid', 'expected no list: an admin sees all monitors', {
          pointer: '/monitors',
        });
      }
      const username = plainName(input.username);
      if (username === '') {
        throw new StoreError('invalid', 'expected a name that can be seen', { pointer: '/username' });
      }
      const before = this.#accounts.get(id);
      for (const other of this.#accounts.values()) {
        if (other.id !== id && plainName(other.username) === username) {
          throw new StoreError('conflict', 'another account has this name', { pointer: '/username' });
        }
      }
      if (!before && typeof plainPassword !== 'string') {
        throw new StoreError('invalid', 'expected a password for a new account', {
          pointer: '/plainPassword',
        });
      }
      const isGiven = typeof plainPassword === 'string';
      const password = isGiven ? await hashPassword(plainPassword) : (before?.password ?? '');
      const isInitial = isGiven ? initialPassword : before?.initialPassword;
      const monitors = isAdmin || input.monitors === null ? undefined : (input.monitors ?? before?.monitors);
      const account = {
        id,
        username,
        password,
        isAdmin,
        ...(monitors && { monitors: [...new Set(monitors)] }),
        ...(isInitial && { initialPassword: true }),
      };
      await this.#save(new Map(this.#accounts).set(id, account), id);
      return before ? 'replaced' : 'created';
    });
  }

  /**
   * Takes over what was changed in the file by hand.
   *
   * @returns the warnings for the accounts that are there now.
   * @throws {StoreError} if the file is broken, or leaves no administrator; the accounts are then as before.
   */
  reload(): Promise<readonly string[]> {
    return this.#mutex.runExclusive(async () => {
      const next = new Map<string, StoredAccount>();
      for (const account of Object.values(await readAccounts(this.#file))) next.set(account.id, account);
      this.#requireAdmin(next);
      const all = new Set([...next.keys(), ...this.#accounts.keys()]);
      const changed = [...all].filter((id) => !isDeepStrictEqual(next.get(id), this.#accounts.get(id)));
      for (const id of changed) this.#take(id, next.get(id));
      return findOddities(this.#file, [...next.values()]);
    });
  }

  /** @throws {StoreError} `not_found`; `conflict` if the account is the last administrator. */
  remove(id: string): Promise<void> {
    return this.#mutex.runExclusive(async () => {
      const next = new Map(this.#accounts);
      if (!next.delete(id)) throw new StoreError('not_found', 'there is no such account', { pointer: '/id' });
      await this.#save(next, id);
    });
  }

  /**
   * @returns the account's CSRF token: 32 letters and digits, new after every start and every change of the account.
   * Compare it in constant time.
   */
  token(id: string): string | undefined {
    return this.#tokens.get(id);
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

  /** Writes to disk first, so that accounts in memory, the ones that admit callers, are always stored. */
  async #save(next: Map<string, StoredAccount>, changed: string): Promise<void> {
    this.#requireAdmin(next);
    try {
      await writeAtomically(this.#file, `${JSON.stringify(Object.fromEntries(next), undefined, 2)}\n`);
    } catch (cause) {
      throw new StoreError('io', 'the accounts could not be saved', { cause });
    }
    this.#take(changed, next.get(changed));
  }

  #requireAdmin(next: Map<string, StoredAccount>): void {
    if (rank[control(next.values())] >= rank[control(this.#accounts.values())]) return;
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

/** The best administrator among the accounts: `usable` can log in, `locked` cannot, `none`: there is none. */
type Control = 'usable' | 'locked' | 'none';
const rank: Readonly<Record<Control, number>> = { usable: 2, locked: 1, none: 0 };

function control(accounts: Iterable<StoredAccount>): Control {
  let best: Control = 'none';
  for (const { isAdmin, password } of accounts) {
    if (!isAdmin) continue;
    if (!isForeignHash(password)) return 'usable';
    best = 'locked';
  }
  return best;
}

const visible = ({ id, username, isAdmin, monitors }: StoredAccount): Account => ({
  ...{ id, username, isAdmin },
  ...(monitors && !isAdmin && { monitors }),
});

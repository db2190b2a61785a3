import { join } from 'node:path';
import Type from 'typebox';
import { ensureFolder, writeAtomically } from '../../bus/base/files.ts';
import { Mutex } from '../../bus/base/mutex.ts';
import { randomText } from '../../bus/base/random.ts';
import { StoreError } from '../base/store-error.ts';
import { compileValidator } from '../base/validator.ts';
import { type Account, findOddities, identity, readAccounts, type StoredAccount } from './accounts-file.ts';
import { hashPassword, isForeignHash, prepareVerification, verifyPassword } from './passwords.ts';

export type { Account } from './accounts-file.ts';

/** The body of `PUT /api/account`. */
export const AccountInput = Type.Object({
  ...identity,
  plainPassword: Type.Optional(
    Type.Union([Type.String({ minLength: 1, maxLength: 1024, pattern: '^[^\\p{Cs}]*$' }), Type.Null()], {
      description: '1 to 1024 characters',
    }),
  ),
});
export type AccountInput = Type.Static<typeof AccountInput>;

const checkInput = compileValidator(AccountInput);
const maxPasswordLength = 1024;

/** Who may use the recorder: `config_dir/accounts.json`, an object of accounts by id. */
export class Accounts {
  /** Sentences about accounts that were read but cannot be used as they are. */
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
   * @throws {StoreError} when the file is broken. It is left as it is, for somebody to mend.
   */
  static async open(configDir: string): Promise<Accounts> {
    await ensureFolder(configDir);
    const file = join(configDir, 'accounts.json');
    const accounts = new Map<string, StoredAccount>();
    for (const account of Object.values(await readAccounts(file))) accounts.set(account.id, account);
    await prepareVerification();
    return new Accounts(file, accounts);
  }

  get size(): number {
    return this.#accounts.size;
  }

  /** Whether anybody can log in as an administrator. */
  get hasAdmin(): boolean {
    return control(this.#accounts.values()) === 'usable';
  }

  /** In the order of their ids. */
  list(): Account[] {
    return [...this.#accounts.values()].map(visible).sort((a, b) => (a.id < b.id ? -1 : 1));
  }

  get(id: string): Account | undefined {
    const account = this.#accounts.get(id);
    return account && visible(account);
  }

  /**
   * Makes an account, or replaces the one with this id. Without `plainPassword` the password stays.
   *
   * @throws {StoreError} `invalid`; `conflict` when the name is taken or the last administrator would be demoted.
   */
  put(input: AccountInput): Promise<'created' | 'replaced'> {
    return this.#mutex.runExclusive(async () => {
      const flaw = checkInput(input);
      if (flaw) throw new StoreError('invalid', `expected ${flaw.expected}`, { pointer: flaw.pointer });
      const { id, isAdmin, plainPassword } = input;
      const username = input.username.normalize('NFC');
      const before = this.#accounts.get(id);
      for (const other of this.#accounts.values()) {
        if (other.id !== id && other.username.normalize('NFC') === username) {
          throw new StoreError('conflict', 'another account has this name', { pointer: '/username' });
        }
      }
      if (!before && typeof plainPassword !== 'string') {
        throw new StoreError('invalid', 'expected a password for a new account', {
          pointer: '/plainPassword',
        });
      }
      const password =
        typeof plainPassword === 'string' ? await hashPassword(plainPassword) : (before?.password ?? '');
      await this.#save(new Map(this.#accounts).set(id, { id, username, password, isAdmin }), id);
      return before ? 'replaced' : 'created';
    });
  }

  /** @throws {StoreError} `not_found`; `conflict` when it is the last administrator. */
  remove(id: string): Promise<void> {
    return this.#mutex.runExclusive(async () => {
      const next = new Map(this.#accounts);
      if (!next.delete(id)) throw new StoreError('not_found', 'there is no such account', { pointer: '/id' });
      await this.#save(next, id);
    });
  }

  /**
   * The account's CSRF token: 32 letters and digits, new at every start and whenever the account changes.
   * Compare it in constant time.
   */
  token(id: string): string | undefined {
    return this.#tokens.get(id);
  }

  /**
   * The account of this name, if this is its password. An unknown name costs as much time as a wrong password:
   * one derivation, about 0.1 s of a core; the caller limits how many run at once.
   */
  async verify(username: string, password: string): Promise<Account | undefined> {
    const wanted = username.normalize('NFC');
    let account: StoredAccount | undefined;
    for (const one of this.#accounts.values()) {
      if (one.username.normalize('NFC') === wanted) account ??= one;
    }
    const tooLong = password.length > maxPasswordLength;
    const matches = await verifyPassword(tooLong ? undefined : account?.password, tooLong ? '' : password);
    // It may have been changed or removed meanwhile: then this answer is about an account that is no more.
    if (!matches || !account || this.#accounts.get(account.id) !== account) return undefined;
    return visible(account);
  }

  /** Calls `listener`, which must not throw, after an account was made, changed or removed. @returns ends it. */
  onChange(listener: (id: string) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The disk first: what is in memory, and so what counts, has always been stored. */
  async #save(next: Map<string, StoredAccount>, changed: string): Promise<void> {
    if (rank[control(next.values())] < rank[control(this.#accounts.values())]) {
      throw new StoreError('conflict', 'the last administrator must stay one');
    }
    try {
      await writeAtomically(this.#file, `${JSON.stringify(Object.fromEntries(next), undefined, 2)}\n`);
    } catch (cause) {
      throw new StoreError('io', 'the accounts could not be saved', { cause });
    }
    const account = next.get(changed);
    if (account) {
      this.#accounts.set(changed, account);
      this.#tokens.set(changed, randomText(32));
    } else {
      this.#accounts.delete(changed);
      this.#tokens.delete(changed);
    }
    for (const listener of [...this.#listeners]) listener(changed);
  }
}

/** Who could still change something: an administrator who can log in, one who cannot, or nobody. */
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

const visible = ({ id, username, isAdmin }: StoredAccount): Account => ({ id, username, isAdmin });

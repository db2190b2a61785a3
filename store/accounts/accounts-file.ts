import { Type } from 'typebox';
import { StoreError } from '../base/store-error.ts';
import { readTextFile, TextFileError } from '../base/text-file.ts';
import { character, controls } from '../base/text-pattern.ts';
import { compileValidator } from '../base/validator.ts';
import { isForeignHash } from './passwords.ts';

export interface Account {
  readonly id: string;
  readonly username: string;
  readonly isAdmin: boolean;
  /** Ids of the monitors that it may see; absent is all. Admins see all. */
  readonly monitors?: readonly string[];
}

export interface StoredAccount extends Account {
  /** The password's hash. */
  readonly password: string;
  /** Whether the password is still the one that the first start made and printed. */
  readonly initialPassword?: boolean;
}

export const identity = {
  id: Type.String({
    pattern: '^(?!__proto__$)[A-Za-z0-9_-]{1,64}$',
    description: '1 to 64 letters, digits, hyphens and underscores',
  }),
  username: Type.String({
    pattern: `^${character(`:${controls}`)}{1,64}$`,
    description: '1 to 64 characters, without colons and control characters',
  }),
  isAdmin: Type.Boolean({ description: 'true or false' }),
};

export const monitorList = Type.Array(
  Type.String({
    pattern: '^[A-Za-z0-9]{1,24}$',
    description: 'the id of a monitor: 1 to 24 letters and digits',
  }),
  { maxItems: 1000, description: 'a list of at most 1000 monitor ids' },
);

const AccountFile = Type.Record(
  Type.String(),
  Type.Object({
    ...identity,
    monitors: Type.Optional(monitorList),
    password: Type.String({ maxLength: 1024, description: 'a password hash' }),
    initialPassword: Type.Optional(Type.Boolean({ description: 'true or false' })),
  }),
  { description: 'an object of accounts by id' },
);

const checkFile = compileValidator(AccountFile);

/**
 * Reads `accounts.json`; a missing file counts as one without accounts.
 *
 * @throws {StoreError} if the file is broken.
 */
export async function readAccounts(file: string): Promise<Record<string, StoredAccount>> {
  const broken = (expected: string, cause?: unknown) =>
    new StoreError('invalid', `${file}: ${expected}`, { cause });
  let text: string;
  try {
    text = await readTextFile(file);
  } catch (cause) {
    if (cause instanceof TextFileError) throw broken(cause.message, cause);
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw new StoreError('io', `${file}: expected a file that can be read`, { cause });
  }
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch (cause) {
    throw broken('expected JSON', cause);
  }
  const flaw = checkFile(content);
  if (flaw) throw broken(`${flaw.pointer}: expected ${flaw.expected}`);
  const accounts = content as Record<string, StoredAccount>;
  for (const [key, { id }] of Object.entries(accounts)) {
    if (key !== id) throw broken(`/${key}/id: expected the id that the account is stored under`);
  }
  return accounts;
}

/**
 * Reads one account, as another machine has stored it.
 *
 * @throws {StoreError} `invalid`
 */
export function readAccount(id: string, value: unknown): StoredAccount {
  const flaw = checkFile({ [id]: value });
  const account = value as StoredAccount;
  if (!flaw && account.id === id) return account;
  throw new StoreError('invalid', `${flaw?.pointer ?? `/${id}/id`}: expected ${flaw?.expected ?? id}`);
}

/** Marks that change the direction of writing, and others without width: copied along with a name, and seen by nobody. */
const unseen = /[\u061c\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]/g;

/** @returns the form in which user names are stored and compared: composed, without what nobody sees, without blanks around. */
export const plainName = (username: string): string => username.normalize('NFC').replace(unseen, '').trim();

/** @returns a warning for each account that cannot log in, or sees more than its list of monitors. */
export function findOddities(file: string, accounts: readonly StoredAccount[]): string[] {
  const warnings: string[] = [];
  const names = new Set<string>();
  for (const { id, username, password, isAdmin, monitors } of accounts) {
    if (isAdmin && monitors) {
      warnings.push(`${file}: account ${id} is an admin and sees all monitors: its list has no effect`);
    }
    if (isForeignHash(password)) {
      warnings.push(
        `${file}: account ${id} cannot log in until its password is reset: its hash is not scrypt`,
      );
    }
    const name = plainName(username);
    if (names.has(name)) warnings.push(`${file}: account ${id} cannot log in: another one has the same name`);
    names.add(name);
  }
  return warnings;
}

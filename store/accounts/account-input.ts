import { type Static, Type } from 'typebox';
import { StoreError } from '../base/store-error.ts';
import { character } from '../base/text-pattern.ts';
import { compileValidator } from '../base/validator.ts';
import { identity, monitorList, plainName, type StoredAccount } from './accounts-file.ts';

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
export type AccountInput = Static<typeof AccountInput>;

const checkInput = compileValidator(AccountInput);

/**
 * Checks what is to become an account beside these, or the one of them with its id.
 *
 * @throws {StoreError} `invalid`; `conflict` if the name is taken.
 */
export function checkAccountInput(input: AccountInput, stored: readonly StoredAccount[]): void {
  const flaw = checkInput(input);
  if (flaw) throw new StoreError('invalid', `expected ${flaw.expected}`, { pointer: flaw.pointer });
  if (input.isAdmin && input.monitors) {
    // Not ignored: it would look as if the admin saw these alone.
    throw new StoreError('invalid', 'expected no list: an admin sees all monitors', {
      pointer: '/monitors',
    });
  }
  const username = plainName(input.username);
  if (username === '') {
    throw new StoreError('invalid', 'expected a name that can be seen', { pointer: '/username' });
  }
  for (const other of stored) {
    if (other.id !== input.id && plainName(other.username) === username) {
      throw new StoreError('conflict', 'another account has this name', { pointer: '/username' });
    }
  }
  if (!stored.some(({ id }) => id === input.id) && typeof input.plainPassword !== 'string') {
    throw new StoreError('invalid', 'expected a password for a new account', { pointer: '/plainPassword' });
  }
}

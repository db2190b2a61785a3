import type { StoredAccount } from './accounts-file.ts';
import { isForeignHash } from './passwords.ts';

/** The best administrator among some accounts: 0: there is none, 1: one that cannot log in, 2: one that can. */
type Control = 0 | 1 | 2;

export function controlBy(accounts: Iterable<StoredAccount>): Control {
  let best: Control = 0;
  for (const { isAdmin, password } of accounts) {
    if (!isAdmin) continue;
    if (!isForeignHash(password)) return 2;
    best = 1;
  }
  return best;
}

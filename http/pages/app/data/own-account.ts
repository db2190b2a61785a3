import { signal } from '@preact/signals';
import { knownAccount, type OwnAccount } from './known.ts';
import { ask, getJson, RequestFailure } from './request.ts';

/** The account that is logged in; undefined until it is known. */
export const account = signal<OwnAccount | undefined>(knownAccount);

const retryMs = 3000;

/** Asks for it until there is an answer. */
export async function learnAccount(): Promise<void> {
  try {
    account.value = await getJson<OwnAccount>('/api/session');
  } catch (error) {
    if (!(error instanceof RequestFailure)) throw error;
    // The page itself says what is wrong with the connection.
    setTimeout(() => void learnAccount(), retryMs);
  }
}

/**
 * Logs in anew: a change of the own account has ended its sessions.
 *
 * @throws {RequestFailure}
 */
export async function logIn(username: string, password: string): Promise<void> {
  const answer = await ask('/api/session', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ username, password }),
  });
  account.value = (await answer.json()) as OwnAccount;
}

import { account, learnAccount } from './own-account.ts';
import { ask, goToLogin, RequestFailure } from './request.ts';

interface ChangeOptions {
  readonly signal?: AbortSignal | undefined;
  /** The kind of answer that is wanted, where there are several. */
  readonly accept?: string;
}

/**
 * Sends a request that changes something.
 *
 * @param body what is sent as JSON, if anything.
 * @throws {RequestFailure} and the signal's reason.
 */
export async function change(
  method: 'POST' | 'PUT' | 'DELETE',
  path: string,
  body?: unknown,
  { signal, accept }: ChangeOptions = {},
): Promise<Response> {
  const send = () =>
    ask(path, {
      method,
      signal,
      headers: {
        'X-CSRF-TOKEN': account.value?.csrfToken ?? '',
        ...(accept !== undefined && { Accept: accept }),
        ...(body !== undefined && { 'Content-Type': 'application/json' }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
  try {
    return await send();
  } catch (error) {
    // With basic auth the token is another one after a start of the recorder.
    if (!(error instanceof RequestFailure) || error.status !== 403) throw error;
    const before = account.value?.csrfToken;
    await learnAccount();
    if (account.value?.csrfToken === before) throw error;
    return send();
  }
}

/** Ends the session, and shows the login page. @throws {RequestFailure} if the recorder does not end it. */
export async function logOut(): Promise<void> {
  await change('DELETE', '/api/session');
  goToLogin();
}

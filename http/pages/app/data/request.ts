import { say } from '../texts/say.ts';
import { shellTexts } from '../texts/shell-texts.ts';

/** Why there is no answer; its message is a sentence for the viewer. */
export class RequestFailure extends Error {
  override readonly name = 'RequestFailure';
  /** 0 if the recorder could not be reached. */
  readonly status: number;

  constructor(status: number, message: string, options?: ErrorOptions) {
    super(message, options);
    this.status = status;
  }
}

/**
 * The JSON of an answer. Its shape is that of the route's schema, which the server keeps.
 *
 * @throws {RequestFailure}
 */
export async function getJson<Answer>(path: string, signal?: AbortSignal): Promise<Answer> {
  return (await (await get(path, signal)).json()) as Answer;
}

/** @throws {RequestFailure} */
export async function getText(path: string): Promise<string> {
  return (await get(path)).text();
}

async function get(path: string, signal?: AbortSignal): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(path, { ...(signal && { signal }) });
  } catch (cause) {
    signal?.throwIfAborted();
    throw new RequestFailure(0, say(shellTexts.unreachable), { cause });
  }
  if (response.ok) return response;
  if (response.status === 401) {
    goToLogin();
    throw new RequestFailure(401, say(shellTexts.loginAgain));
  }
  throw new RequestFailure(response.status, await explain(response));
}

/** Code with which WebSockets are closed when the account has changed, or the session has ended. */
export const loginEnded = 4401;

/** Shows the login page, which leads back here. */
export function goToLogin(): void {
  location.assign(`/login?next=${encodeURIComponent(location.pathname + location.search)}`);
}

/** The sentence of a problem document (RFC 9457). */
async function explain(response: Response): Promise<string> {
  try {
    const problem = (await response.json()) as { readonly detail?: string; readonly title?: string };
    return problem.detail ?? problem.title ?? response.statusText;
  } catch {
    return response.statusText;
  }
}

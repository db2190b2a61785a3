import { say } from '../texts/say.ts';
import { shellTexts } from '../texts/shell-texts.ts';
import { translated } from './recorder-sentences.ts';
import { underBase, withoutBase } from './under-base.ts';

/** Why there is no answer; its message is a sentence for the viewer. */
export class RequestFailure extends Error {
  override readonly name = 'RequestFailure';
  /** 0 if the recorder could not be reached. */
  readonly status: number;
  /** JSON pointer of the field that is wrong, where the recorder names one. */
  readonly pointer: string | undefined;

  constructor(status: number, message: string, options: ErrorOptions & { readonly pointer?: string } = {}) {
    super(message, options);
    this.status = status;
    this.pointer = options.pointer;
  }
}

/**
 * The JSON of an answer. Its shape is that of the route's schema, which the server keeps.
 *
 * @throws {RequestFailure}
 */
export async function getJson<Answer>(path: string, signal?: AbortSignal): Promise<Answer> {
  return contentOf(await ask(path, { signal }), (answer) => answer.json() as Promise<Answer>, signal);
}

/** @throws {RequestFailure} */
export async function getText(path: string): Promise<string> {
  return contentOf(await ask(path), (answer) => answer.text());
}

/** Reads an answer to its end, before which the connection may be lost. @throws {RequestFailure} and the signal's reason. */
export async function contentOf<Content>(
  answer: Response,
  read: (answer: Response) => Promise<Content>,
  signal?: AbortSignal,
): Promise<Content> {
  try {
    return await read(answer);
  } catch (cause) {
    signal?.throwIfAborted();
    throw new RequestFailure(0, say(shellTexts.unreachable), { cause });
  }
}

interface Asked {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly signal?: AbortSignal | undefined;
}

/**
 * A successful answer.
 *
 * @throws {RequestFailure} and the signal's reason.
 */
export async function ask(path: string, { signal, ...asked }: Asked = {}): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(underBase(path), { ...asked, ...(signal && { signal }) });
  } catch (cause) {
    signal?.throwIfAborted();
    throw new RequestFailure(0, say(shellTexts.unreachable), { cause });
  }
  if (response.ok) return response;
  if (response.status === 401) {
    goToLogin();
    throw new RequestFailure(401, say(shellTexts.loginAgain));
  }
  throw await explained(response);
}

/** Code with which WebSockets are closed when the account has changed, or the session has ended. */
export const loginEnded = 4401;

/** Within which one way to the login page is enough: another one would break off the first. */
const leavingMs = 5000;
let isLeaving = false;

/**
 * Shows the login page, which leads back here. A session's end is told several times: by the answer to a logout, by each
 * socket, by each request. Who stays in spite of it, to save something, is led there again later.
 */
export function goToLogin(): void {
  if (isLeaving) return;
  isLeaving = true;
  setTimeout(() => {
    isLeaving = false;
  }, leavingMs);
  const here = withoutBase(location.pathname) + location.search;
  location.assign(underBase(`/login?next=${encodeURIComponent(here)}`));
}

/** What a problem document says (RFC 9457). */
async function explained(response: Response): Promise<RequestFailure> {
  try {
    const { detail, title, pointer } = (await response.json()) as {
      readonly detail?: string;
      readonly title?: string;
      readonly pointer?: string;
    };
    const sentence = translated(detail ?? title ?? response.statusText);
    return new RequestFailure(response.status, sentence, pointer === undefined ? {} : { pointer });
  } catch {
    return new RequestFailure(response.status, response.statusText);
  }
}

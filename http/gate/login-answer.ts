import type { IncomingMessage } from 'node:http';
import { HttpError, Redirect } from '../request/http-error.ts';
import { readSessionCookie } from './session-cookie.ts';

/** A scheme that browsers do not know: to `Basic` they would open a prompt of their own. [RFC 9110 11.6.1] */
const sessionChallenge = { 'WWW-Authenticate': 'Session realm="sentrybus"' };

/** Characters. A longer address is not returned to after the login. */
const maxNextLength = 1024;

/**
 * How a request without a valid login is answered: people who open a page are sent to the login page, requests of pages get 401
 * without a prompt, all others 401 with the challenge of basic auth.
 *
 * @returns the refusal itself if it is not about the login.
 */
export function loginAnswer(request: IncomingMessage, refusal: unknown): unknown {
  const { url = '/', headers } = request;
  if (!(refusal instanceof HttpError) || refusal.status !== 401) return refusal;
  if (headers.authorization !== undefined) return refusal;
  if (opensPage(request)) return new Redirect(loginPage(url));
  const isPage = !isNavigation(request) || readSessionCookie(headers.cookie) !== undefined;
  return isPage ? withoutPrompt(refusal) : refusal;
}

/** Whether somebody opens this address as a page: an answer should be one for people. */
export function opensPage(request: IncomingMessage): boolean {
  const { method, headers } = request;
  const reads = method === 'GET' || method === 'HEAD';
  return isNavigation(request) && reads && headers.upgrade === undefined && takesHtml(headers.accept);
}

/** Programs do not say what they fetch for. */
function isNavigation({ headers: { 'sec-fetch-mode': mode } }: IncomingMessage): boolean {
  return mode === undefined || mode === 'navigate';
}

/** The same refusal with a challenge that opens no prompt. */
export function withoutPrompt({ code, message }: HttpError): HttpError {
  return new HttpError(code, message, { headers: sessionChallenge });
}

const takesHtml = (accept: string | undefined) => /(^|[\s,])text\/html\b/i.test(accept ?? '');

function loginPage(url: string): string {
  // `//` and `/\` begin an address of another site.
  const returns = /^\/(?![/\\])/.test(url) && url !== '/' && url.length <= maxNextLength;
  return returns ? `/login?next=${encodeURIComponent(url)}` : '/login';
}

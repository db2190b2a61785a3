import { createHmac } from 'node:crypto';

/** With the prefix browsers take it from this host alone, over TLS, for all paths: no neighbour can plant one. */
const name = '__Host-sentrybus';
const attributes = 'Path=/; Secure; HttpOnly; SameSite=Strict';

/** @returns the token in a `Cookie` header; undefined if there is none or more than one. */
export function readSessionCookie(header: string | undefined): string | undefined {
  const values = (header ?? '')
    .split(';')
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(`${name}=`))
    .map((pair) => pair.slice(name.length + 1));
  return values.length === 1 ? values[0] : undefined;
}

/** A `Set-Cookie` header. @param maxAgeMs how long the browser keeps it. */
export function sessionCookie(token: string, maxAgeMs: number): string {
  return `${name}=${token}; ${attributes}; Max-Age=${Math.floor(maxAgeMs / 1000)}`;
}

/** A `Set-Cookie` header that deletes the cookie. */
export const noSessionCookie = `${name}=; ${attributes}; Max-Age=0`;

/**
 * The CSRF token of a session: 32 hexadecimal digits, made from the session's own token, so that it lasts as long and needs no
 * place of its own.
 */
export function sessionCsrfToken(token: string): string {
  return createHmac('sha256', token).update('csrf').digest('hex').slice(0, 32);
}

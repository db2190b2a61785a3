import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Log } from '../../bus/log.ts';
import type { Access, Caller } from '../request/caller.ts';
import { HttpError } from '../request/http-error.ts';
import { type RouteCall, tokenMethods } from '../request/route.ts';
import { clientKey } from '../transport/client-address.ts';
import { Identity, type IdentityOptions } from './identity.ts';
import { loginAnswer, withoutPrompt } from './login-answer.ts';
import { isEmbedded, isForeign, isOurOwn } from './origin.ts';
import { RefusalPacer } from './refusal-pacer.ts';
import { readSessionCookie, sessionCookie } from './session-cookie.ts';

export interface GateOptions extends IdentityOptions {
  /** Whether the server itself speaks TLS. */
  readonly secure: boolean;
  readonly log: Log;
}

/** A user name and a password, and where they came from. */
export interface LoginRequest extends Pick<RouteCall, 'address' | 'headers'> {
  readonly username: string;
  readonly password: string;
}

export interface StartedSession {
  readonly caller: Caller;
  /** The `Set-Cookie` header. */
  readonly cookie: string;
}

/** Methods that change nothing. */
const safeMethods = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE']);

const guest: Caller = {
  ...{ id: '', username: '', isAdmin: false, monitors: [], session: undefined, token: undefined },
  maySee: () => false,
  standing: () => 'changed',
};

/**
 * The only place that admits or refuses requests: API, pages, assets and WebSocket handshakes alike.
 *
 * In this order: authentication (401), permission (403), and that the request does not come from another site's page
 * in the caller's browser (403).
 */
export class Gate {
  readonly #options: GateOptions;
  readonly #identity: Identity;
  readonly #refusals = new RefusalPacer();

  constructor(options: GateOptions) {
    this.#options = options;
    this.#identity = new Identity(options);
  }

  /**
   * @param access required by the route; a path without a route requires a login, as most routes do.
   * @throws {HttpError} the reason for refusing the request. @throws {Redirect} to the login page.
   */
  async admit(request: IncomingMessage, access: Access, upgrade = false): Promise<Caller> {
    try {
      return await this.#decide(request, access, upgrade);
    } catch (refusal) {
      await this.#refusals.turn();
      throw loginAnswer(request, refusal);
    }
  }

  /** The caller of a request that needs no login: a guest if its login is absent or wrong, or if another site's page may ask. */
  async recognise(request: IncomingMessage): Promise<Caller> {
    const { auth } = this.#options;
    const { authorization, cookie } = request.headers;
    if (auth !== 'none' && authorization === undefined && cookie === undefined) return guest;
    try {
      const caller = await this.#identity.of(request);
      if (caller.session) this.#refuseOrigin(request, 'not embedded');
      return caller;
    } catch (refusal) {
      if (refusal instanceof HttpError) return guest;
      throw refusal;
    }
  }

  /**
   * Logs a person in: starts a session, and ends the one that the browser had, so that a token that somebody else knows never
   * becomes that of a login.
   *
   * @throws {HttpError} `login_failed`, `too_many_logins`, `conflict` if no login is needed.
   */
  async logIn({ username, password, address, headers }: LoginRequest): Promise<StartedSession> {
    const { auth, accounts, credentials, sessions, log } = this.#options;
    if (auth === 'none') throw new HttpError('conflict', 'No login is needed here.');
    const client = clientKey(address);
    try {
      const { account, version } = await credentials.verify(username, password, client);
      if (!accounts.get(account.id) || credentials.version(account.id) !== version)
        throw new HttpError('login_failed', 'The account has just changed.');
      const before = sessions.use(readSessionCookie(headers['cookie']?.toString()) ?? '');
      const { session, token } = await sessions.start({
        ...{ accountID: account.id, address: address ?? '', replaces: before?.id },
        client: headers['user-agent']?.toString() ?? '',
      });
      log.info(`'${account.username}' logged in from ${client}`);
      const cookie = sessionCookie(token, session.expiresMs - session.createdMs);
      return { caller: this.#identity.sessionCaller(account, session, token), cookie };
    } catch (refusal) {
      await this.#refusals.turn();
      throw refusal instanceof HttpError && refusal.status === 401 ? withoutPrompt(refusal) : refusal;
    }
  }

  async #decide(request: IncomingMessage, access: Access, upgrade: boolean): Promise<Caller> {
    if (access === 'public') {
      // Otherwise another site's page could log its visitors in, to an account of its choice.
      this.#refuseOrigin(request, !upgrade && isSafe(request) ? 'any' : 'not foreign');
      return guest;
    }
    const caller = await this.#identity.of(request);
    if (access === 'admin' && !caller.isAdmin) {
      throw new HttpError('admin_required', 'Only an admin may do this.');
    }
    if (caller.session) this.#refuseOrigin(request, upgrade || !isSafe(request) ? 'our own' : 'not embedded');
    else if (upgrade || !isSafe(request)) this.#refuseOrigin(request, 'not foreign');
    if (!upgrade && !isSafe(request)) this.#refuseToken(request, caller);
    return caller;
  }

  /** Cookies are sent by browsers alone, which say where a request comes from; other clients need not. */
  #refuseOrigin(request: IncomingMessage, wanted: 'any' | 'not foreign' | 'not embedded' | 'our own'): void {
    const { secure, proxies } = this.#options;
    const headers = proxies.headersOf(request);
    const refused =
      (wanted === 'not foreign' && isForeign(headers, secure)) ||
      (wanted === 'not embedded' && isEmbedded(headers)) ||
      (wanted === 'our own' && !isOurOwn(headers, secure));
    if (refused) throw new HttpError('origin_refused', 'A page of another site sent this request.');
  }

  #refuseToken({ method = '', headers }: IncomingMessage, caller: Caller): void {
    const token = headers['x-csrf-token'];
    // Browsers do not let another site's page send PATCH; with a cookie it needs the token all the same.
    const optional = !caller.session && !needsToken(method);
    if (token === undefined && optional) return;
    if (typeof token !== 'string' || !sameText(token, caller.token ?? '') || token === '') {
      throw new HttpError(
        'csrf_token_wrong',
        'Send the token from /api/account/my-token in the X-CSRF-TOKEN header.',
      );
    }
  }
}

const isSafe = ({ method = '' }: IncomingMessage) => safeMethods.has(method);
const needsToken = (method: string) => tokenMethods.some((each) => each === method);

/** Compares in a time that depends neither on the texts' lengths nor on where they differ. */
function sameText(one: string, other: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(one), digest(other));
}

import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { randomText } from '../../bus/base/random.ts';
import type { Accounts } from '../../store/accounts/accounts.ts';
import type { Access, Caller } from '../request/caller.ts';
import { HttpError } from '../request/http-error.ts';
import { tokenMethods } from '../request/route.ts';
import { clientKey } from './client-address.ts';
import type { Credentials } from './credentials.ts';
import { isForeign, isLocalHost } from './origin.ts';
import { RefusalPacer } from './refusal-pacer.ts';

export interface GateOptions {
  /** `none` makes every caller an admin. */
  readonly auth: 'basic' | 'none';
  /** Whether the server itself speaks TLS. */
  readonly secure: boolean;
  readonly accounts: Accounts;
  readonly credentials: Credentials;
}

/** Methods that change nothing. PATCH does, but needs no token: browsers do not let another site's page send it. */
const safeMethods = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE']);

const guest: Caller = { id: '', username: '', isAdmin: false, token: undefined, standing: () => 'changed' };

/**
 * The only place that admits or refuses requests: API, pages, assets and WebSocket handshakes alike.
 *
 * In this order: authentication (401), permission (403), and that the request does not come from another site's page
 * in the caller's browser (403).
 */
export class Gate {
  readonly #options: GateOptions;
  readonly #everybody: Caller;
  readonly #refusals = new RefusalPacer();

  constructor(options: GateOptions) {
    this.#options = options;
    const token = randomText(32);
    this.#everybody = { id: '', username: 'everybody', isAdmin: true, token, standing: () => 'admitted' };
  }

  /**
   * @param access required by the route; a path without a route requires a login, as most routes do.
   * @throws {HttpError} the reason for refusing the request.
   */
  async admit(request: IncomingMessage, access: Access, upgrade = false): Promise<Caller> {
    if (access === 'public') return guest;
    try {
      return await this.#decide(request, access, upgrade);
    } catch (refusal) {
      await this.#refusals.turn();
      throw refusal;
    }
  }

  async #decide(request: IncomingMessage, access: Access, upgrade: boolean): Promise<Caller> {
    const caller = await this.#identify(request);
    if (access === 'admin' && !caller.isAdmin) {
      throw new HttpError('admin_required', 'Only an admin may do this.');
    }
    this.#refuseForeign(request, caller, upgrade);
    return caller;
  }

  async #identify(request: IncomingMessage): Promise<Caller> {
    const { auth, accounts, credentials } = this.#options;
    const { headers, socket } = request;
    if (auth === 'none') {
      if (isLocalHost(headers.host)) return this.#everybody;
      throw new HttpError(
        'host_refused',
        'Without login, use the IP address or a local host name (.local, .lan, .internal, .home.arpa).',
      );
    }
    const admission = await credentials.admit(headers.authorization, clientKey(socket.remoteAddress));
    const { account, version } = admission;
    const { id, username, isAdmin } = account;
    return {
      id,
      username,
      isAdmin,
      get token() {
        return accounts.token(id);
      },
      standing() {
        const now = accounts.get(id);
        if (now && isAdmin && !now.isAdmin) return 'demoted';
        return now && credentials.version(id) === version ? 'admitted' : 'changed';
      },
    };
  }

  #refuseForeign({ method = '', headers }: IncomingMessage, caller: Caller, upgrade: boolean): void {
    if (!upgrade && safeMethods.has(method)) return;
    if (isForeign(headers, this.#options.secure)) {
      throw new HttpError('origin_refused', 'A page of another site sent this request.');
    }
    if (upgrade) return;
    const token = headers['x-csrf-token'];
    if (token === undefined && !needsToken(method)) return;
    if (typeof token !== 'string' || !sameText(token, caller.token ?? '') || token === '') {
      throw new HttpError(
        'csrf_token_wrong',
        'Send the token from /api/account/my-token in the X-CSRF-TOKEN header.',
      );
    }
  }
}

const needsToken = (method: string) => tokenMethods.some((each) => each === method);

/** Compares in a time that depends neither on the texts' lengths nor on where they differ. */
function sameText(one: string, other: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(one), digest(other));
}

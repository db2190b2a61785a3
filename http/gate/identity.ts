import type { IncomingMessage } from 'node:http';
import { randomText } from '../../bus/base/random.ts';
import type { Account, Accounts } from '../../store/accounts/accounts.ts';
import type { Session, Sessions } from '../../store/accounts/sessions.ts';
import type { Caller } from '../request/caller.ts';
import { HttpError } from '../request/http-error.ts';
import { clientKey } from '../transport/client-address.ts';
import type { TrustedProxies } from '../transport/trusted-proxies.ts';
import type { Admission, Credentials } from './credentials.ts';
import { isLocalHost } from './origin.ts';
import { readSessionCookie, sessionCsrfToken } from './session-cookie.ts';

export interface IdentityOptions {
  /** `none` makes every caller an admin. */
  readonly auth: 'basic' | 'none';
  readonly accounts: Accounts;
  readonly credentials: Credentials;
  readonly sessions: Sessions;
  readonly proxies: TrustedProxies;
}

/** Finds out which account a request comes from: by its basic credentials, or else by its session's cookie. */
export class Identity {
  readonly #options: IdentityOptions;
  readonly #everybody: Caller;

  constructor(options: IdentityOptions) {
    this.#options = options;
    const everybody = {
      id: '',
      username: 'everybody',
      isAdmin: true,
      monitors: undefined,
      session: undefined,
    };
    const token = randomText(32);
    this.#everybody = { ...everybody, token, maySee: () => true, standing: () => 'admitted' };
  }

  /** @throws {HttpError} `login_required`, `login_failed`, `too_many_logins`, `host_refused` */
  async of(request: IncomingMessage): Promise<Caller> {
    const { headers } = request;
    if (this.#options.auth === 'none') {
      if (isLocalHost(headers.host)) return this.#everybody;
      throw new HttpError(
        'host_refused',
        'Without login, use the IP address or a local host name (.local, .lan, .internal, .home.arpa).',
      );
    }
    // Credentials were sent on purpose, the cookie by itself: if there are both, the cookie is not even looked at.
    const token = headers.authorization === undefined ? readSessionCookie(headers.cookie) : undefined;
    const caller = token === undefined ? undefined : this.#ofSession(token);
    if (caller) return caller;
    const { credentials, proxies } = this.#options;
    const client = clientKey(proxies.addressOf(request));
    return this.#ofAccount(await credentials.admit(headers.authorization, client));
  }

  /** The caller of a session's token; undefined if the session has ended. */
  #ofSession(token: string): Caller | undefined {
    const { accounts, sessions } = this.#options;
    const session = sessions.use(token);
    const account = session && accounts.get(session.accountID);
    return account && this.sessionCaller(account, session, token);
  }

  sessionCaller(account: Account, session: Session, token: string): Caller {
    const { sessions } = this.#options;
    const { id, createdMs, expiresMs } = session;
    return {
      ...account,
      ...limitOf(account),
      session: { id, createdMs, expiresMs },
      token: sessionCsrfToken(token),
      standing: () => this.#standing(account, () => sessions.touch(id)),
    };
  }

  #ofAccount({ account, version }: Admission): Caller {
    const { accounts, credentials } = this.#options;
    return {
      ...account,
      ...limitOf(account),
      session: undefined,
      get token() {
        return accounts.token(account.id);
      },
      standing: () => this.#standing(account, () => credentials.version(account.id) === version),
    };
  }

  #standing({ id, isAdmin }: Account, isSame: () => boolean): ReturnType<Caller['standing']> {
    const now = this.#options.accounts.get(id);
    if (now && isAdmin && !now.isAdmin) return 'demoted';
    return now && isSame() ? 'admitted' : 'changed';
  }
}

function limitOf({ monitors }: Account): Pick<Caller, 'monitors' | 'maySee'> {
  return { monitors, maySee: (monitorID) => monitors === undefined || monitors.includes(monitorID) };
}

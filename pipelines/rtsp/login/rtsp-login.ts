import { RtspError } from '../protocol/rtsp-error.ts';
import { type Challenge, parseChallenges } from './challenge.ts';
import { Digest } from './digest.ts';

/** How to log in, as the camera wants it. */
type Way = Digest | 'basic';

/**
 * One login over one connection, the strongest that the camera offers. Cameras lock a user out after a few wrong
 * passwords, so there is one attempt, and another one only where the camera says that the password was right.
 */
export class Login {
  readonly #user: string;
  readonly #password: string;
  #way: Way | undefined;
  #accepted = false;

  constructor({ user, password }: { readonly user: string; readonly password: string }) {
    this.#user = bytes(user);
    this.#password = bytes(password);
  }

  /** How the next request logs in; undefined before the camera has asked for it. */
  get way(): Way | undefined {
    return this.#way;
  }

  /** @returns the value of the `Authorization` header, a byte per character; undefined while none was asked for. */
  authorize(method: string, url: string): string | undefined {
    if (this.#way === 'basic') {
      return `Basic ${Buffer.from(`${this.#user}:${this.#password}`, 'latin1').toString('base64')}`;
    }
    return this.#way?.authorize(method, url, this.#user, this.#password);
  }

  /** The camera answered a request that carried the login. */
  accept(): void {
    this.#accepted = true;
  }

  /**
   * Prepares for the request to be sent again.
   *
   * @param headers the `WWW-Authenticate` headers of an answer with status 401.
   * @param tried how the request had logged in.
   * @throws {RtspError} `unauthorized`, when that would be of no use.
   */
  challenge(headers: readonly string[], tried: Way | undefined): void {
    // Another request has been asked the same, and its answer serves this one too.
    if (tried !== this.#way) return;
    const offered = parseChallenges(headers);
    if (tried !== undefined && !this.#mayRepeat(tried, offered)) {
      throw new RtspError('unauthorized', 'wrong user name or password', 401);
    }
    this.#accepted = false;
    if (this.#user === '' && this.#password === '') {
      throw new RtspError('unauthorized', 'the camera asks for a user name and a password', 401);
    }
    this.#way = strongest(offered);
    if (this.#way === 'basic' && this.#user.includes(':')) {
      throw new RtspError(
        'unauthorized',
        'a user name that holds a colon cannot be sent by Basic login',
        401,
      );
    }
  }

  /** A nonce that is used up is replaced without a word about the password. */
  #mayRepeat(tried: Way, offered: readonly Challenge[]): boolean {
    const digests = offered.filter(({ scheme }) => scheme === 'digest');
    if (digests.some(({ parameters }) => parameters.get('stale')?.toLowerCase() === 'true')) return true;
    if (!this.#accepted || tried === 'basic') return false;
    return digests.every(({ parameters }) => parameters.get('nonce') !== tried.nonce);
  }
}

/** @throws {RtspError} */
function strongest(offered: readonly Challenge[]): Way {
  const digests: Digest[] = [];
  const unknown: string[] = [];
  for (const challenge of offered) {
    if (challenge.scheme === 'basic') continue;
    const digest = challenge.scheme === 'digest' ? Digest.from(challenge) : challenge.scheme.toUpperCase();
    if (typeof digest === 'string') unknown.push(printable(digest));
    else digests.push(digest);
  }
  digests.sort((a, b) => a.rank - b.rank);
  if (digests[0]) return digests[0];
  if (offered.some(({ scheme }) => scheme === 'basic')) return 'basic';
  if (unknown.length === 0) {
    throw new RtspError('unauthorized', 'the camera asks for a login and does not say for which kind', 401);
  }
  const names = unknown.slice(0, 4).join(', ');
  throw new RtspError('unauthorized', `the camera offers only logins that are not supported: ${names}`, 401);
}

/** The camera's words, before they become a part of a sentence. */
function printable(words: string): string {
  return words.replace(/[^A-Za-z0-9 =,-]/g, '?').slice(0, 40);
}

/** UTF-8, a character per byte. */
function bytes(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}

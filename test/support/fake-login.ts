import { createHash } from 'node:crypto';

/** What a camera asks for, and whether an answer to that is right: RFC 7616 once more, apart from the code under test. */
export interface FakeLogin {
  readonly user: string;
  readonly password: string;
  readonly realm?: string;
  /** The lines after `WWW-Authenticate: `, in which `NONCE` stands for the nonce. */
  readonly challenges: readonly string[];
  /** A nonce is taken so many times; for ever when not given. */
  readonly nonceUses?: number;
  /** Whether a used-up nonce is refused with `stale=true`; true when not given. */
  readonly saysStale?: boolean;
}

export type Verdict = 'right' | 'wrong' | 'stale' | 'missing';

export class FakeLoginCheck {
  readonly #login: FakeLogin;
  #count = 0;
  #uses = 0;
  /** Wrong passwords so far. */
  wrong = 0;

  constructor(login: FakeLogin) {
    this.#login = login;
  }

  get #nonce(): string {
    return `nonce"${this.#count}\\`;
  }

  /** @param authorization a character per byte. */
  check(method: string, authorization: string | undefined): Verdict {
    if (authorization === undefined) return 'missing';
    const { user, password, nonceUses = Number.POSITIVE_INFINITY } = this.#login;
    if (authorization.startsWith('Basic ')) {
      const right = Buffer.from(authorization.slice(6), 'base64').toString() === `${user}:${password}`;
      return this.#judge(right);
    }
    const fields = parameters(authorization);
    if (fields['nonce'] !== this.#nonce) return 'stale';
    if (this.#uses++ >= nonceUses) return 'stale';
    return this.#judge(
      fields['response'] === this.#response(method, fields) && fields['username'] === bytes(user),
    );
  }

  /** @returns the values of the `WWW-Authenticate` headers. */
  challenges(verdict: Verdict): string[] {
    const { challenges, saysStale = true } = this.#login;
    if (verdict === 'stale') {
      this.#count++;
      this.#uses = 0;
    }
    const stale = verdict === 'stale' && saysStale ? ', stale=TRUE' : '';
    return challenges.map((line) => line.replace(/NONCE/g, () => `${quoted(this.#nonce)}${stale}`));
  }

  #judge(right: boolean): Verdict {
    if (!right) this.wrong++;
    return right ? 'right' : 'wrong';
  }

  #response(method: string, fields: Record<string, string>): string {
    const { user, password, realm = 'camera' } = this.#login;
    const algorithm = (fields['algorithm'] ?? 'MD5').toUpperCase();
    const hash = (text: string) =>
      createHash(algorithm.startsWith('SHA-256') ? 'sha256' : 'md5')
        .update(text, 'latin1')
        .digest('hex');
    const { nonce, cnonce, nc, qop, uri } = fields;
    const plain = hash(`${bytes(user)}:${bytes(realm)}:${bytes(password)}`);
    const a1 = algorithm.endsWith('-SESS') ? hash(`${plain}:${nonce}:${cnonce}`) : plain;
    const a2 = hash(`${method}:${uri}`);
    return qop ? hash(`${a1}:${nonce}:${nc}:${cnonce}:${qop}:${a2}`) : hash(`${a1}:${nonce}:${a2}`);
  }
}

function parameters(header: string): Record<string, string> {
  const found = header.matchAll(/(\w+)=(?:"((?:[^"\\]|\\.)*)"|([^\s,]+))/g);
  return Object.fromEntries(
    [...found].map(([, name, inQuotes, plain]) => [name, inQuotes?.replace(/\\(.)/g, '$1') ?? plain]),
  );
}

function quoted(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&')}"`;
}

/** UTF-8, a character per byte. */
function bytes(text: string): string {
  return Buffer.from(text).toString('latin1');
}

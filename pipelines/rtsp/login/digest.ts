import { createHash, randomBytes } from 'node:crypto';
import type { Challenge } from './challenge.ts';

/** The strongest first. */
const algorithms = [
  { name: 'SHA-256', hash: 'sha256', ofSession: false },
  { name: 'SHA-256-SESS', hash: 'sha256', ofSession: true },
  { name: 'MD5', hash: 'md5', ofSession: false },
  { name: 'MD5-SESS', hash: 'md5', ofSession: true },
] as const;

/** Texts here are bytes, a character each: realms and nonces are sent back as they came, whatever their encoding. */
type Bytes = string;

/** Answers one Digest challenge (RFC 7616, and RFC 2617 where it names no algorithm). */
export class Digest {
  /** 0 is the strongest. */
  readonly rank: number;
  readonly nonce: Bytes;
  readonly #algorithm: (typeof algorithms)[number];
  readonly #parameters: ReadonlyMap<string, Bytes>;
  readonly #realm: Bytes;
  readonly #withQop: boolean;
  readonly #clientNonce = randomBytes(12).toString('hex');
  #count = 0;

  private constructor(rank: number, parameters: ReadonlyMap<string, Bytes>) {
    this.rank = rank;
    this.#algorithm = algorithms[rank] ?? algorithms[0];
    this.#parameters = parameters;
    this.#realm = parameters.get('realm') ?? '';
    this.nonce = parameters.get('nonce') ?? '';
    this.#withQop = parameters.has('qop');
  }

  /** @returns what is not supported, as a name for people, where the challenge cannot be answered. */
  static from({ parameters }: Challenge): Digest | string {
    const name = parameters.get('algorithm') ?? 'MD5';
    const rank = algorithms.findIndex((algorithm) => algorithm.name === name.toUpperCase());
    if (rank < 0) return `Digest ${name}`;
    const qops = parameters
      .get('qop')
      ?.toLowerCase()
      .split(/[\s,]+/);
    if (qops && !qops.includes('auth')) return `Digest with qop=${qops.join(',')}`;
    return new Digest(rank, parameters);
  }

  /** @returns the value of the `Authorization` header for one request. */
  authorize(method: string, url: string, user: Bytes, password: Bytes): Bytes {
    const hash = (text: Bytes) => createHash(this.#algorithm.hash).update(text, 'latin1').digest('hex');
    this.#count++;
    const count = this.#count.toString(16).padStart(8, '0');
    const login = hash(`${user}:${this.#realm}:${password}`);
    const secret = this.#algorithm.ofSession ? hash(`${login}:${this.nonce}:${this.#clientNonce}`) : login;
    const qop = this.#withQop ? `${count}:${this.#clientNonce}:auth:` : '';
    const response = hash(`${secret}:${this.nonce}:${qop}${hash(`${method}:${url}`)}`);

    const parts = [
      `username=${quoted(user)}`,
      `realm=${quoted(this.#realm)}`,
      `nonce=${quoted(this.nonce)}`,
      `uri=${quoted(url)}`,
      `response="${response}"`,
    ];
    const algorithm = this.#parameters.get('algorithm');
    if (algorithm !== undefined) parts.push(`algorithm=${algorithm}`);
    const opaque = this.#parameters.get('opaque');
    if (opaque !== undefined) parts.push(`opaque=${quoted(opaque)}`);
    if (this.#withQop) parts.push('qop=auth', `nc=${count}`);
    if (this.#withQop || this.#algorithm.ofSession) parts.push(`cnonce="${this.#clientNonce}"`);
    return `Digest ${parts.join(', ')}`;
  }
}

function quoted(text: Bytes): Bytes {
  return `"${text.replace(/["\\]/g, '\\$&')}"`;
}

import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import proxyAddr from '@fastify/proxy-addr';

/** The parts of a request that a proxy repeats in headers of its own. */
type Forwarded = Pick<IncomingMessage, 'headers' | 'socket'>;

/**
 * The reverse proxies whose word is taken for where a request comes from. From anybody else the headers mean nothing: a
 * guesser could call itself another address with each guess.
 */
export class TrustedProxies {
  readonly #isTrusted: (address: string, hop: number) => boolean;

  /** @param proxies addresses and networks, such as `10.0.0.0/8`. @throws {TypeError} for one that is neither. */
  constructor(proxies: readonly string[]) {
    this.#isTrusted = proxyAddr.compile([...proxies]);
  }

  /** @returns the address of the client, which is the last one in `X-Forwarded-For` that is no trusted proxy. */
  addressOf(request: Forwarded): string | undefined {
    const { remoteAddress } = request.socket;
    if (!this.#isProxied(request)) return remoteAddress;
    const address = proxyAddr(request as IncomingMessage, this.#isTrusted);
    return isIP(address) === 0 ? remoteAddress : address;
  }

  /** @returns the headers with the `Host` that the client sent, which many proxies replace by their own name for us. */
  headersOf(request: Forwarded): IncomingHttpHeaders {
    const { headers } = request;
    const forwarded = headers['x-forwarded-host'];
    if (forwarded === undefined || !this.#isProxied(request)) return headers;
    return { ...headers, host: forwarded.toString().split(',', 1)[0]?.trim() ?? '' };
  }

  #isProxied({ socket: { remoteAddress } }: Forwarded): boolean {
    return remoteAddress !== undefined && this.#isTrusted(remoteAddress, 0);
  }
}

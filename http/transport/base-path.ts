import type { IncomingMessage, Server } from 'node:http';

/**
 * The path below which a reverse proxy serves the recorder, `/nvr` for example; empty without one. Requests may come with
 * it or, from a proxy that takes it off, without; whatever leads a browser somewhere carries it.
 */
export class BasePath {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  /** Takes it off each request and handshake, before anybody else sees them. */
  takeOff(server: Server): void {
    if (this.path === '') return;
    const shorten = (request: IncomingMessage) => {
      request.url = this.#without(request.url ?? '');
    };
    server.prependListener('request', shorten);
    server.prependListener('upgrade', shorten);
  }

  /** @param location of this server, without the base path, or of another one. */
  locate(location: string): string {
    return location.startsWith('/') && !location.startsWith('//') ? this.path + location : location;
  }

  /** A document of the pages: it loads its files from below the base path, and says so to its script. */
  rewrite(html: string): string {
    if (this.path === '') return html;
    return html
      .replaceAll('="/assets/', `="${this.path}/assets/`)
      .replace('<head>', `<head><meta name="base-path" content="${this.path}">`);
  }

  #without(url: string): string {
    if (!url.startsWith(this.path)) return url;
    const rest = url.slice(this.path.length);
    if (rest === '' || rest.startsWith('?')) return `/${rest}`;
    return rest.startsWith('/') ? rest : url;
  }
}

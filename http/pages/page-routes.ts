import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { Access } from '../request/caller.ts';
import { type Route, type RouteAnswer, type RouteCall, route } from '../request/route.ts';
import { pagePolicy } from '../transport/security-headers.ts';

const own = fileURLToPath(new URL('.', import.meta.url));
const swagger = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));

const types = {
  css: 'text/css; charset=utf-8',
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  svg: 'image/svg+xml',
} as const;

interface File {
  readonly body: Buffer;
  readonly packed: Buffer;
  readonly etag: string;
}

/** A route per file that browsers load. The list is fixed, so that a request's path never reaches the disk. */
export function pageRoutes(): Route[] {
  return [
    route({
      method: 'GET',
      path: '/',
      access: 'user',
      limit: 'none',
      tag: 'Pages',
      summary: 'Redirects to the first page',
      answers: { 302: { description: 'Location of the first page' } },
      handle: () => ({ status: 302, headers: { Location: '/api' } }),
    }),
    fileRoute('/login', join(own, 'login.html'), 'html', 'The login page', 'public'),
    fileRoute('/assets/login.js', join(own, 'login.js'), 'js', 'The script of the login page', 'public'),
    fileRoute('/api', join(own, 'api.html'), 'html', 'The API page, to try requests'),
    fileRoute('/assets/style.css', join(own, 'style.css'), 'css', 'Styles of all pages'),
    fileRoute('/assets/api.css', join(own, 'api.css'), 'css', 'Styles of the API page'),
    fileRoute('/assets/api.js', join(own, 'api.js'), 'js', 'The script of the API page'),
    fileRoute('/assets/icon.svg', join(own, 'icon.svg'), 'svg', 'The icon'),
    fileRoute('/assets/swagger-ui.css', join(swagger, 'swagger-ui.css'), 'css', 'Swagger UI'),
    fileRoute('/assets/swagger-ui.js', join(swagger, 'swagger-ui-bundle.js'), 'js', 'Swagger UI'),
  ];
}

function fileRoute(
  path: string,
  file: string,
  type: keyof typeof types,
  summary: string,
  access: Access = 'user',
): Route {
  let loaded: Promise<File> | undefined;
  return route({
    method: 'GET',
    path,
    access,
    limit: 'none',
    tag: 'Pages',
    summary,
    answers: {
      200: { description: 'The file', type: types[type] },
      304: { description: "The client's copy is current" },
    },
    async handle(call) {
      loaded ??= load(file);
      return answer(call, await loaded, types[type]);
    },
  });
}

async function load(file: string): Promise<File> {
  const body = await readFile(file);
  const etag = `W/"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`;
  return { body, packed: await promisify(gzip)(body), etag };
}

function answer({ headers }: RouteCall, { body, packed, etag }: File, type: string): RouteAnswer {
  const common = {
    ETag: etag,
    Vary: 'Accept-Encoding',
    // Browsers may store pages but must revalidate them, so that a deleted account sees no stored page.
    'Cache-Control': 'private, no-cache',
    'Content-Security-Policy': pagePolicy,
  };
  const known = String(headers['if-none-match'] ?? '').split(/\s*,\s*/);
  if (known.includes(etag)) return { status: 304, headers: common };
  if (!/\bgzip\b/.test(String(headers['accept-encoding'] ?? ''))) return { type, headers: common, body };
  return { type, headers: { ...common, 'Content-Encoding': 'gzip' }, body: packed };
}

import { createHash } from 'node:crypto';
import { Type } from 'typebox';
import type { Caller } from '../request/caller.ts';
import { HttpError } from '../request/http-error.ts';
import { type Route, type RouteAnswer, type RouteCall, route } from '../request/route.ts';
import type { BasePath } from '../transport/base-path.ts';
import { pagePolicy } from '../transport/security-headers.ts';
import { type BuiltFile, BuiltPages } from './built-pages.ts';

/** Its document says nothing but whose account it is: it serves for an address that is no page as well. */
export const plainPage = '/api';

/** The addresses of the pages. One document serves them all; its script reads the address. */
const pages = {
  '/live': 'The live view',
  '/welcome': 'The first steps of a new installation; what they show is for admins',
  '/recordings': 'The recordings of a day',
  '/settings': 'The settings; what it shows is for admins',
  '/logs': 'The log; what it shows is for admins',
  [plainPage]: 'The API page, to try requests',
};

const fileTypes = ['text/javascript; charset=utf-8', 'text/css; charset=utf-8', 'image/svg+xml'];
const document = { description: 'The page', type: 'text/html; charset=utf-8' };
/** The element of `index.html` that is filled for each request. It is data: a browser does not run it. */
const place = /(<script id="known" type="application\/json">)[^<]*(<\/script>)/;
const current = { description: "The client's copy is current" };

/** The script that the build has written into it: the only one that may run without a file. */
const inlineScript = /<script id="ahead">(.*?)<\/script>/s;

/** Browsers may store these but must revalidate them, so that a deleted account sees no stored page. */
const revalidated = { 'Cache-Control': 'private, no-cache' };

interface PageServices {
  readonly basePath: BasePath;
  /** What the script of a page would ask for first: it is in the document already. */
  known(caller: Caller, path: string): object;
}

export function pageRoutes({ basePath, known }: PageServices): Route[] {
  const built = new BuiltPages(basePath);
  return [
    route({
      method: 'GET',
      path: '/',
      access: 'user',
      limit: 'none',
      tag: 'Pages',
      summary: 'Redirects to the live view',
      answers: { 302: { description: 'Location of the live view' } },
      handle: () => ({ status: 302, headers: { Location: basePath.locate('/live') } }),
    }),
    ...Object.entries(pages).map(([path, summary]) =>
      route({
        method: 'GET',
        path,
        access: 'user',
        limit: path === '/live' ? 'answer' : 'none',
        tag: 'Pages',
        summary,
        answers: { 200: document },
        async handle({ caller }) {
          const { type, body } = await file('index.html');
          // Every `<` is escaped, so no name of a monitor can end the element.
          const json = JSON.stringify(known(caller, path)).replaceAll('<', '\\u003c');
          const text = body.toString().replace(place, (_, start: string, end: string) => start + json + end);
          const script = inlineScript.exec(text)?.[1] ?? '';
          // It is an account's own: no cache keeps it.
          return { type, headers: { 'Content-Security-Policy': policyWith(script) }, body: text };
        },
      }),
    ),
    route({
      method: 'GET',
      path: '/login',
      access: 'public',
      limit: 'none',
      tag: 'Pages',
      summary: 'The login page',
      answers: { 200: document, 304: current },
      handle: async (call) =>
        answer(call, await file('login.html', call), {
          ...revalidated,
          'Content-Security-Policy': pagePolicy,
        }),
    }),
    ...['login.js', 'login.css'].map((name) =>
      route({
        method: 'GET',
        path: `/assets/${name}`,
        access: 'public',
        limit: 'none',
        tag: 'Pages',
        summary: 'A file of the login page',
        answers: { 200: { description: 'The file', types: fileTypes }, 304: current },
        handle: async (call) => answer(call, await file(name, call), revalidated),
      }),
    ),
    route({
      method: 'GET',
      path: '/assets/:file',
      access: 'user',
      limit: 'none',
      tag: 'Pages',
      summary: 'A script, style sheet or picture of the pages',
      description: 'The name contains a hash of the content, so a file never changes.',
      params: Type.Object({ file: Type.String() }),
      answers: {
        200: { description: 'The file', types: fileTypes },
        304: current,
      },
      failures: ['not_found'],
      async handle(call) {
        const { file: name } = call.params;
        const found = name.endsWith('.html') ? undefined : await built.get(name, acceptEncoding(call));
        if (!found) throw new HttpError('not_found', 'There is nothing here.');
        return answer(call, found, { 'Cache-Control': 'private, max-age=31536000, immutable' });
      },
    }),
  ];

  async function file(name: string, call?: Call): Promise<BuiltFile> {
    const found = await built.get(name, call && acceptEncoding(call));
    if (!found) throw new Error(`the build has no ${name}`);
    return found;
  }
}

/** Lets a browser run this script, too, which is in the document. */
function policyWith(script: string): string {
  const hash = createHash('sha256').update(script).digest('base64');
  return pagePolicy.replace("script-src 'self'", `script-src 'self' 'sha256-${hash}'`);
}

type Call = Pick<RouteCall, 'headers'>;

const acceptEncoding = ({ headers }: Call) => String(headers['accept-encoding'] ?? '');

function answer(
  { headers }: Call,
  { type, etag, encoding, body }: BuiltFile,
  more: Readonly<Record<string, string>>,
): RouteAnswer {
  const common = { ETag: etag, Vary: 'Accept-Encoding', ...more };
  const known = String(headers['if-none-match'] ?? '').split(/\s*,\s*/);
  if (known.includes(etag)) return { status: 304, headers: common };
  return { type, headers: { ...common, ...(encoding && { 'Content-Encoding': encoding }) }, body };
}

import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import process from 'node:process';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import { build } from 'vite';
import { project } from './project.mjs';

/**
 * Builds the pages into the folder that is named on the command line: `index.html`, the hashed files that it loads, all of
 * them compressed beside themselves, and `manifest.json`, from which `http/pages/built-pages.ts` serves them.
 */

const types = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/** Above this size in bytes, Brotli's highest quality takes seconds. Only Swagger UI is that large. */
const largeBytes = 200_000;

const [folder = ''] = process.argv.slice(2);
const root = join(project, 'http/pages/app');
await build({
  configFile: false,
  root,
  // Scripts find each other wherever they are served.
  base: './',
  logLevel: 'warn',
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    outDir: folder,
    emptyOutDir: true,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    // The first with `light-dark()`, so that colours stay as they are written.
    cssTarget: ['chrome123', 'firefox120', 'safari17.5'],
    license: false,
  },
});

/** Runs before the other scripts are there, so it is in the document itself; the policy names its hash. */
const built = await build({
  configFile: false,
  root,
  logLevel: 'warn',
  build: {
    write: false,
    rollupOptions: { input: join(root, 'live/open-streams.ts'), output: { format: 'iife' } },
    modulePreload: false,
  },
});
const [made] = [built].flat().flatMap((one) => ('output' in one ? one.output : []));
const ahead = made?.type === 'chunk' ? made.code.trim() : '';
if (ahead === '' || ahead.includes('</')) throw new Error('the script of the document cannot be in it');

/** @type {Record<string, { type: string, etag: string, encodings: string[] }>} */
const manifest = {};
// One folder, so that a name is a name and never a path.
for (const name of readdirSync(join(folder, 'assets')))
  renameSync(join(folder, 'assets', name), join(folder, name));
rmSync(join(folder, 'assets'), { recursive: true });
const index = join(folder, 'index.html');
const page = readFileSync(index, 'utf8').replaceAll('="./assets/', '="/assets/');
writeFileSync(
  index,
  page.replace('<script id="ahead">', (start) => start + ahead),
);
for (const name of readdirSync(folder).sort()) {
  const type = Object.entries(types).find(([ending]) => ending === extname(name))?.[1];
  if (!type) throw new Error(`no content type is known for ${name}`);
  const body = readFileSync(join(folder, name));
  const quality = body.length > largeBytes ? 6 : 11;
  const params = { [constants.BROTLI_PARAM_QUALITY]: quality };
  writeFileSync(join(folder, `${name}.br`), brotliCompressSync(body, { params }));
  writeFileSync(join(folder, `${name}.gz`), gzipSync(body, { level: 9 }));
  const etag = `W/"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`;
  manifest[name] = { type, etag, encodings: ['br', 'gzip'] };
}
writeFileSync(join(folder, 'manifest.json'), JSON.stringify(manifest));

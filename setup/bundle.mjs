import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join, posix, relative } from 'node:path';
import process from 'node:process';
import { rolldown } from 'rolldown';
import { project, readProjectFile } from './project.mjs';

/**
 * Bundles a build, whose folder is named on the command line: the recorder's program, and each script that it starts as a
 * process or thread, take one file each in place of hundreds, and a few that are loaded later or never. Main and its web
 * server load in 0.3 s of CPU instead of 1.4 s.
 *
 * The modules stay as they are in `modules/`: the other commands, `npm run dev` and tests run them.
 */

/** The parts of TypeBox that are imported, by the names of their files in the build. */
const typeBoxParts = { index: 'typebox', schema: 'typebox/schema' };

/** Native code, found beside itself; and parts of Fastify, `ws` and others that the recorder does not use. */
const external = [
  ...[/\.node$/, /^@duckdb\/node-bindings/, /^@tensorflow\//],
  ...['gstreamer-superficial', 'onnxruntime-node', 'unix-dgram'],
  ...['bufferutil', 'utf-8-validate'],
  ...['@fastify/ajv-compiler', '@fastify/fast-json-stringify-compiler'],
  ...['light-my-request', 'pino'],
];

const [build = ''] = process.argv.slice(2);
// Also those that are found meanwhile.
const programs = new Set(['actors/main.js']);
for (const program of programs) for (const script of await bundleProgram(program)) programs.add(script);
// Last: the programs would find it in place of the package, from which they take what they need.
await bundleTypeBox();

/** For the modules: in a few files instead of 683. */
async function bundleTypeBox() {
  const folder = join(build, 'node_modules/typebox');
  mkdirSync(folder, { recursive: true });
  const bundle = await rolldown({ input: typeBoxParts, cwd: project, platform: 'node', treeshake: false });
  await bundle.write({ dir: folder, format: 'esm' });
  await bundle.close();
  const { version, license } = JSON.parse(readProjectFile('node_modules/typebox/package.json') ?? '{}');
  const exports = { '.': './index.js', './schema': './schema.js' };
  const description = { name: 'typebox', version, license, type: 'module', exports };
  writeFileSync(join(folder, 'package.json'), JSON.stringify(description));
  copyFileSync(join(project, 'node_modules/typebox/license'), join(folder, 'license'));
}

/**
 * @param {string} program below the build's `modules/`; its bundle gets the same place below the build
 * @returns {Promise<string[]>} the scripts that it starts
 */
async function bundleProgram(program) {
  const modules = join(build, 'modules');
  const name = program.replace(/\.js$/, '');
  /** @type {string[]} */
  const scripts = [];
  const bundle = await rolldown({
    input: { [name]: join(modules, program) },
    cwd: project,
    platform: 'node',
    external,
    plugins: [keepPlaces(modules, scripts)],
  });
  await bundle.write({
    dir: build,
    format: 'esm',
    // Without a hash, and with the names of exports, so that a recorder that runs while a newer one is built still finds what
    // it loads late.
    minifyInternalExports: false,
    chunkFileNames: `chunks/${posix.basename(name)}/[name].js`,
    comments: false,
    // Lines as they were, for stack traces. V8 keeps a text with a single other character in two bytes for each.
    minify: { compress: false, mangle: false, codegen: { removeWhitespace: false, asciiOnly: true } },
  });
  await bundle.close();
  return scripts;
}

/**
 * Lets modules find what is beside them: in a bundle, `import.meta.url` is the address that its module would have.
 *
 * @param {string} modules their folder
 * @param {string[]} scripts gets those that the modules start
 * @returns {import('rolldown').Plugin}
 */
function keepPlaces(modules, scripts) {
  const mark = (/** @type {string} */ place) => `__PLACE__(${JSON.stringify(place)})`;
  return {
    name: 'keep-places',
    transform(code, id) {
      if (!id.startsWith(modules) || !code.includes('import.meta.')) return undefined;
      if (/import\.meta\.(dirname|filename)/.test(code))
        throw new Error(`${id} asks for its folder: use import.meta.url`);
      const place = relative(modules, id);
      for (const [, script = ''] of code.matchAll(/new URL\('([^']+\.js)', import\.meta\.url\)/g))
        scripts.push(join(dirname(place), script));
      return code.replaceAll('import.meta.url', mark(place));
    },
    renderChunk(code, { fileName }) {
      if (!code.includes('__PLACE__')) return undefined;
      return code.replace(/__PLACE__\("([^"]+)"\)/g, (_, place) => {
        const path = posix.relative(posix.dirname(fileName), place);
        return `new URL(${JSON.stringify(path)}, import.meta.url).href`;
      });
    },
  };
}

import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, test } from 'vitest';
import { project } from './support/project.ts';

/** What must stay true of the whole tree, so that a reader can trust its outline. */

/** Which of our own folders each folder may import from. */
const allowedImports: Record<string, readonly string[]> = {
  bus: ['bus'],
  pipelines: ['bus', 'pipelines'],
  store: ['bus', 'store'],
  http: ['bus', 'store', 'http'],
  actors: ['bus', 'pipelines', 'store', 'http', 'actors'],
};

const topLevel = [
  ...['actors', 'bus', 'http', 'pipelines', 'store', 'test', 'setup', 'setup.mjs'],
  ...[
    'README.md',
    'CHANGELOG.md',
    'LICENSE',
    'NOTICE',
    'package.json',
    'package-lock.json',
    'tsconfig.json',
    'biome.json',
  ],
  ...['.ci', '.gitignore', '.npmrc'],
];

const licences = [
  ...['MIT', 'MIT-0', 'Apache-2.0', 'BSD-2-Clause', 'BSD-3-Clause', 'ISC', '0BSD', 'BlueOak-1.0.0'],
  ...['CC0-1.0', 'Unlicense', 'Python-2.0'],
  // Linked to dynamically.
  ...['LGPL-2.1', 'LGPL-2.1-or-later', 'LGPL-3.0', 'LGPL-3.0-or-later'],
];

const longestFile = 300;

const files = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
  cwd: project,
  encoding: 'utf8',
})
  .split('\0')
  .filter((file) => file !== '' && existsSync(join(project, file)));
const read = (file: string) => readFileSync(join(project, file), 'utf8');
const sources = files.filter((file) => /^(actors|bus|http|pipelines|store)\/.*\.ts$/.test(file));

interface Import {
  readonly target: string;
  /** It leaves no trace in what is run. */
  readonly typeOnly: boolean;
}

/** The files of ours that a file imports, or starts as a process or thread. */
function imports(file: string): Import[] {
  const found = read(file).matchAll(
    /(import type [^;']+)?(?:\bfrom|\bimport|\bimport\(|\bURL\()\s*'(\.[^']+)'/g,
  );
  return [...found].map(([, type, path = '']) => ({
    target: normalize(join(dirname(file), path))
      .replace(/^dist\//, '')
      .replace(/\.js$/, '.ts'),
    typeOnly: type !== undefined,
  }));
}

const graph = new Map(sources.map((file) => [file, imports(file)]));

describe('imports', () => {
  test('are found at all', () => {
    expect(graph.get('bus/subjects.ts')).toContainEqual({ target: 'bus/messages.ts', typeOnly: false });
    expect(graph.get('bus/log.ts')).toContainEqual({ target: 'bus/messages.ts', typeOnly: true });
  });

  test.each(Object.entries(allowedImports))('of %s go down the tree of folders only', (folder, allowed) => {
    const strays = [...graph]
      .filter(([file]) => file.startsWith(`${folder}/`))
      .flatMap(([file, targets]) => targets.map(({ target }) => ({ file, target })))
      .filter(({ target }) => !allowed.includes(target.split('/')[0] ?? ''));
    expect(strays).toEqual([]);
  });

  test('never lead back to where they began', () => {
    const circles = [...graph.keys()].map((file) => circle(file, [file])).filter(Boolean);
    expect(circles).toEqual([]);
  });
});

/** The first way back from the last file of `path` to its first one. */
function circle(
  start: string,
  path: readonly string[],
  seen = new Set<string>(),
): readonly string[] | undefined {
  for (const { target: next, typeOnly } of graph.get(path.at(-1) ?? '') ?? []) {
    if (typeOnly) continue;
    if (next === start) return [...path, next];
    if (seen.has(next)) continue;
    seen.add(next);
    const found = circle(start, [...path, next], seen);
    if (found) return found;
  }
  return undefined;
}

describe('the project', () => {
  test('has at its top level only what belongs there', () => {
    const found = new Set(files.map((file) => file.split('/')[0] ?? ''));
    expect([...found].filter((name) => !topLevel.includes(name))).toEqual([]);
  });

  test('has no source file that is too long to read in one go', () => {
    const long = files
      .filter((file) => /\.(ts|mjs|js|py|css|html|sql)$/.test(file) && !file.startsWith('test/'))
      .map((file) => ({ file, lines: read(file).split('\n').length - 1 }))
      .filter(({ lines }) => lines > longestFile);
    expect(long).toEqual([]);
  });

  test.each([...Object.keys(allowedImports), 'setup', 'test'])('begins %s with a README', (folder) => {
    expect(files).toContain(`${folder}/README.md`);
  });
});

interface Package {
  readonly license?: string | { readonly type: string };
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly overrides?: Readonly<Record<string, string>>;
}

describe('dependencies', () => {
  const own = JSON.parse(read('package.json')) as Package;

  test('are asked for in one exact version', () => {
    const { dependencies, devDependencies, optionalDependencies, overrides } = own;
    const asked = { ...dependencies, ...devDependencies, ...optionalDependencies, ...overrides };
    const loose = Object.entries(asked).filter(([, version]) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version));
    expect(loose).toEqual([]);
  });

  // npm leaves out of the lock file what its registry did not have at that moment, for a machine of another
  // kind as a rule, and refuses such a file when it installs.
  test('are all in the lock file, those for other machines too', () => {
    const { packages } = JSON.parse(read('package-lock.json')) as { packages: Record<string, Package> };
    const missing = Object.entries(packages).flatMap(([path, { dependencies, optionalDependencies }]) =>
      Object.keys({ ...dependencies, ...optionalDependencies })
        .filter((name) => !lookups(path).some((folder) => packages[`${folder}node_modules/${name}`]))
        .map((name) => `${name}, which ${path} needs`),
    );
    expect(missing).toEqual([]);
  });

  test('carry licences that let everybody use the recorder', () => {
    const { packages } = JSON.parse(read('package-lock.json')) as {
      packages: Record<string, { dev?: boolean }>;
    };
    const shipped = Object.keys(packages).filter(
      // Packages for other machines stand in the lock file, and are not here.
      (path) =>
        path !== '' && packages[path]?.dev !== true && existsSync(join(project, path, 'package.json')),
    );
    expect(shipped.length).toBeGreaterThan(Object.keys(own.dependencies ?? {}).length);
    const others = shipped
      .map((path) => ({ path, licence: licenceOf(JSON.parse(read(join(path, 'package.json')))) }))
      .filter(({ licence }) => !permitted(licence));
    expect(others).toEqual([]);
  });
});

/** Where Node.js looks for what the package at this path imports: below it, and below all that it is in. */
function lookups(path: string): string[] {
  const above = path.lastIndexOf('/node_modules/');
  if (path === '') return [''];
  return [`${path}/`, ...lookups(above < 0 ? '' : path.slice(0, above))];
}

function licenceOf({ license }: Package): string {
  return (typeof license === 'object' ? license.type : license) ?? 'none';
}

/** An SPDX expression: of alternatives one has to be among ours, of what is combined all. */
function permitted(expression: string): boolean {
  return expression
    .replace(/[()]/g, '')
    .split(' OR ')
    .some((alternative) => alternative.split(' AND ').every((licence) => licences.includes(licence.trim())));
}

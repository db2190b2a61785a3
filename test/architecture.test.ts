import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { basename, dirname, join, normalize } from 'node:path';
import { describe, expect, test } from 'vitest';
import { project } from './support/project.ts';

/** The rules of the whole tree, so that a reader can trust its outline. */

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
    'CONTRIBUTING.md',
    'LICENSE',
    'NOTICE',
    'package.json',
    'package-lock.json',
    'tsconfig.json',
    'biome.json',
  ],
  ...['.ci', '.editorconfig', '.gitignore', '.npmrc'],
];

/**
 * Which rooms of its own top-level folder each room may import from. Rooms that are not listed import from none.
 * Everything may import from itself.
 */
const allowedRooms: Record<string, readonly string[]> = {
  bus: ['base'],
  'bus/certificates': ['base', 'children'],
  'bus/children': ['base'],
  'bus/nats': ['', 'base', 'children', 'packets'],
  'bus/nats/control': ['', 'base', 'certificates', 'nats'],
  'bus/logging': ['', 'base', 'nats', 'systemd'],
  'bus/systemd': [''],
  'bus/mqtt': [
    ...['', 'base', 'children', 'nats'],
    ...['mqtt/broker', 'mqtt/frigate', 'mqtt/home-assistant', 'mqtt/topics', 'mqtt/voice'],
  ],
  'bus/mqtt/broker': ['', 'base'],
  'bus/mqtt/frigate': ['', 'base', 'mqtt/broker', 'mqtt/topics'],
  'bus/mqtt/home-assistant': ['mqtt/topics'],
  'bus/mqtt/topics': ['', 'base', 'mqtt/broker', 'nats'],
  'bus/mqtt/voice': ['', 'base', 'mqtt/broker', 'mqtt/topics'],

  pipelines: [
    ...['codecs', 'depayload', 'frames', 'gstreamer', 'live', 'media', 'mp4', 'recording', 'rtsp'],
    ...['protocol', 'rtsp/protocol', 'sources'],
  ],
  'pipelines/source-test': [
    '',
    'frames',
    'gstreamer',
    'media',
    'protocol',
    'rtsp',
    'rtsp/protocol',
    'sources',
  ],
  'pipelines/host': ['', 'gstreamer', 'protocol'],
  'pipelines/picture': ['', 'gstreamer'],
  'pipelines/sources': [
    ...['codecs', 'depayload', 'gstreamer', 'media', 'protocol', 'rtsp', 'rtsp/protocol'],
  ],
  'pipelines/depayload': ['codecs'],
  'pipelines/frames': ['codecs', 'gstreamer', 'media'],
  'pipelines/frames/sleep': ['frames', 'media'],
  'pipelines/live': ['codecs', 'media', 'mp4'],
  'pipelines/media': ['codecs', 'depayload'],
  'pipelines/mp4': ['codecs', 'media'],
  'pipelines/recording': ['media', 'mp4'],
  'pipelines/rtsp': ['rtsp/login', 'rtsp/protocol', 'rtsp/rtp', 'rtsp/socket'],
  'pipelines/rtsp/login': ['rtsp/protocol'],
  'pipelines/rtsp/rtp': ['rtsp/protocol'],
  'pipelines/rtsp/socket': ['rtsp/protocol'],

  'store/accounts': ['base'],
  'store/config': ['base', 'detectors'],
  'store/detectors': ['base'],
  'store/monitors': ['base', 'detectors'],
  'store/backup': ['base', 'config', 'log', 'log/export'],
  'store/recordings': [
    ...['base', 'log/catalogue', 'recordings/clip', 'recordings/files', 'recordings/fragments'],
    ...['recordings/playback', 'recordings/retention'],
  ],
  'store/recordings/clip': [
    ...['recordings/files', 'recordings/fragments', 'recordings/mp4', 'recordings/playback'],
  ],
  'store/recordings/verification': [
    ...['log/catalogue', 'recordings', 'recordings/files', 'recordings/fragments', 'recordings/mp4'],
  ],
  'store/recordings/clock': [
    'base',
    ...['log/catalogue', 'recordings/files', 'recordings/fragments', 'recordings/verification'],
  ],
  'store/recordings/playback': ['base', 'recordings/fragments', 'recordings/mp4'],
  'store/recordings/retention': ['base', 'log/catalogue', 'recordings/files'],
  'store/recordings/fragments': ['recordings/files', 'recordings/mp4'],
  'store/log': [
    'base',
    'config',
    'log/catalogue',
    'log/export',
    'log/read',
    'log/schema',
    'log/sql',
    'log/sql-process',
    'log/worker',
  ],
  'store/log/worker': [
    ...[
      'base',
      'log/catalogue',
      'log/export',
      'log/projection',
      'log/projection/recorded-events',
      'log/projection/states',
      'log/read',
    ],
    ...['log/retention', 'log/schema'],
  ],
  'store/log/catalogue': ['base', 'log/schema'],
  'store/log/sql': ['base', 'log/export'],
  'store/log/sql-process': ['base', 'log/sql'],
  'store/log/export': ['base', 'log/catalogue', 'log/read', 'log/schema'],
  'store/log/read': ['base', 'log/projection', 'log/schema'],
  'store/log/projection': ['log/projection/recorded-events', 'log/schema'],
  'store/log/projection/recorded-events': ['log/schema'],
  'store/log/projection/states': ['log/projection', 'log/schema'],
  'store/log/retention': ['log/schema'],

  http: [
    'api',
    'documents',
    'gate',
    'live',
    'log',
    'machines',
    'pages',
    'recordings',
    'relay',
    'relay/footage',
    'request',
    'state',
    'transport',
  ],
  'http/api': ['request', 'state'],
  'http/documents': ['request'],
  'http/gate': ['request', 'transport'],
  'http/live': ['request', 'state'],
  'http/log': ['request'],
  'http/machines': ['request'],
  'http/recordings': ['request', 'state'],
  'http/relay': ['relay/footage', 'request', 'state'],
  'http/pages': ['request', 'transport'],
  'http/pages/app': [
    ...['pages/app/api', 'pages/app/data', 'pages/app/live', 'pages/app/logs', 'pages/app/recordings'],
    ...['pages/app/settings', 'pages/app/shell', 'pages/app/texts', 'pages/app/welcome'],
  ],
  'http/pages/app/api': ['pages/app/data', 'pages/app/shell', 'pages/app/texts'],
  'http/pages/app/data': ['pages/app/texts', 'state'],
  // Types of answers only.
  'http/pages/app/live': [
    ...['pages/app/data', 'pages/app/live/stream', 'pages/app/shell', 'pages/app/texts', 'state'],
  ],
  'http/pages/app/live/stream': ['pages/app/data', 'pages/app/media'],
  'http/pages/app/logs': [
    ...['pages/app/data', 'pages/app/logs/chart', 'pages/app/logs/sql', 'pages/app/shell', 'pages/app/style'],
    ...['pages/app/texts', 'state'],
  ],
  'http/pages/app/logs/chart': ['pages/app/data', 'pages/app/shell', 'pages/app/texts'],
  'http/pages/app/logs/sql': ['pages/app/data', 'pages/app/texts'],
  'http/pages/app/recordings': [
    ...['pages/app/data', 'pages/app/recordings/footage', 'pages/app/recordings/player'],
    ...['pages/app/recordings/timeline', 'pages/app/shell', 'pages/app/style', 'pages/app/texts', 'state'],
  ],
  'http/pages/app/recordings/footage': ['pages/app/data', 'pages/app/texts'],
  'http/pages/app/recordings/player': [
    ...['pages/app/data', 'pages/app/media', 'pages/app/recordings/footage', 'pages/app/shell'],
    ...['pages/app/texts'],
  ],
  'http/pages/app/recordings/timeline': [
    ...['pages/app/data', 'pages/app/recordings/footage', 'pages/app/recordings/player'],
    ...['pages/app/shell', 'pages/app/texts'],
  ],
  'http/pages/app/settings': [
    ...['pages/app/data', 'pages/app/settings/accounts', 'pages/app/settings/form'],
    ...['pages/app/settings/monitors', 'pages/app/settings/system', 'pages/app/shell'],
    ...['pages/app/style', 'pages/app/texts', 'state'],
  ],
  'http/pages/app/settings/accounts': [
    ...['pages/app/data', 'pages/app/settings/form', 'pages/app/shell', 'pages/app/texts', 'state'],
  ],
  'http/pages/app/settings/system': ['pages/app/data', 'pages/app/settings/form', 'pages/app/texts', 'state'],
  'http/pages/app/settings/form': ['pages/app/data', 'pages/app/shell', 'pages/app/texts'],
  'http/pages/app/settings/monitors': [
    ...['pages/app/data', 'pages/app/live', 'pages/app/settings/form', 'pages/app/settings/sources'],
    ...['pages/app/settings/triggers', 'pages/app/settings/zones', 'pages/app/shell', 'pages/app/texts'],
    'state',
  ],
  'http/pages/app/settings/sources': [
    ...['pages/app/data', 'pages/app/settings/form', 'pages/app/texts', 'request'],
  ],
  'http/pages/app/settings/triggers': [
    ...['pages/app/data', 'pages/app/settings/form', 'pages/app/settings/zones', 'pages/app/texts'],
  ],
  'http/pages/app/settings/zones': [
    ...['pages/app/data', 'pages/app/live', 'pages/app/settings/form', 'pages/app/texts'],
  ],
  'http/pages/app/shell': ['pages/app/data', 'pages/app/texts'],
  'http/pages/app/welcome': [
    ...['pages/app/data', 'pages/app/settings/form', 'pages/app/settings/monitors'],
    ...['pages/app/settings/sources', 'pages/app/settings/system', 'pages/app/shell', 'pages/app/style'],
    'pages/app/texts',
  ],
  'http/transport': ['request'],

  actors: ['base', 'cluster', 'detectors', 'detectors/host', 'machines', 'startup', 'storage'],
  'actors/cluster': ['cluster/configuration', 'cluster/ownership'],
  'actors/detectors': ['detectors/frames', 'detectors/objects/inference', 'detectors/objects/models'],
  'actors/service': ['base', 'cluster', 'detectors/host', 'startup'],
  'actors/startup': ['base', 'detectors/host'],
  'actors/machines': ['detectors/host', 'detectors/objects/models'],
  'actors/detectors/host': [
    ...['detectors', 'detectors/frames', 'detectors/motion', 'detectors/objects'],
    ...['detectors/objects/inference', 'detectors/objects/models'],
  ],
  'actors/detectors/motion': ['detectors'],
  'actors/detectors/objects': [
    ...['detectors', 'detectors/objects/decoding', 'detectors/objects/inference', 'detectors/objects/models'],
    ...['detectors/objects/picture', 'detectors/objects/snapshots', 'detectors/objects/tracking'],
  ],
  'actors/detectors/objects/decoding': [
    ...['detectors/objects/engines', 'detectors/objects/files', 'detectors/objects/picture'],
  ],
  'actors/detectors/objects/engines': ['detectors/objects/files', 'detectors/objects/onnx'],
  'actors/detectors/objects/inference': ['detectors/objects/models', 'detectors/objects/picture'],
  'actors/detectors/objects/models': [
    ...['detectors/objects/decoding', 'detectors/objects/engines', 'detectors/objects/files'],
    'detectors/objects/picture',
  ],
  'actors/detectors/objects/onnx': ['detectors/objects/files'],
  'actors/detectors/objects/snapshots': ['detectors/objects/inference', 'detectors/objects/picture'],
  'actors/detectors/objects/tracking': ['detectors/objects/picture'],
};

/** Packages that one place alone may touch, so that a change of theirs is a change there. */
const confined: readonly { readonly name: RegExp; readonly place: RegExp }[] = [
  { name: /^@nats-io\//, place: /^bus\/(nats\/|frames\.ts$)/ },
  { name: /^@duckdb\//, place: /^store\/log\// },
  { name: /^gstreamer-superficial$/, place: /^pipelines\/gstreamer\/gstreamer\.ts$/ },
];

const maxFilesPerRoom = 11;

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
const sources = files.filter((file) => /^(actors|bus|http|pipelines|store)\/.*\.tsx?$/.test(file));
/** What runs in browsers. */
const pages = 'http/pages/app/';

/** The files of ours that a file imports, types included, or starts as a process or thread. */
function imports(file: string): string[] {
  const found = read(file).matchAll(/(?:\bfrom|\bimport|\bimport\(|\bURL\()\s*'(\.[^']+)'/g);
  return [...found].map(([, path = '']) =>
    normalize(join(dirname(file), path))
      .replace(/^dist\//, '')
      .replace(/\.js$/, '.ts'),
  );
}

/** The files that a program loads, at once or later: neither for types nor as threads and processes. */
function loaded(program: string): string[] {
  const found = new Set([program]);
  for (const file of found) {
    const code = read(file).matchAll(
      /^(?:import|export) (?!type\b)[^;]*?from '(\.[^']+)'|\bimport\('(\.[^']+)'/gm,
    );
    for (const [, now, later] of code) found.add(normalize(join(dirname(file), now ?? later ?? '')));
  }
  return [...found];
}

/** The packages that a file imports or requires. */
function packages(file: string): string[] {
  return [
    ...read(file).matchAll(
      /(?:\bfrom|\bimport|\bimport\(|\bcreateRequire\(import\.meta\.url\)\()\s*'([^.'][^']*)'/g,
    ),
  ].map(([, name = '']) => name);
}

const graph = new Map(sources.map((file) => [file, imports(file)]));
const arrows = [...graph].flatMap(([file, targets]) => targets.map((target) => ({ file, target })));

describe('imports', () => {
  test('are found at all', () => {
    expect(graph.get('bus/subjects.ts')).toContain('bus/messages.ts');
    expect(graph.get('bus/logging/logger.ts')).toContain('bus/messages.ts');
    expect(packages('pipelines/gstreamer/gstreamer.ts')).toContain('gstreamer-superficial');
  });

  test.each(Object.entries(allowedImports))('of %s go down the tree of folders only', (folder, allowed) => {
    const strays = arrows
      .filter(({ file }) => file.startsWith(`${folder}/`))
      .filter(({ target }) => !allowed.includes(target.split('/')[0] ?? ''));
    expect(strays).toEqual([]);
  });

  test('between the rooms of a folder are those that are allowed', () => {
    const strays = arrows.filter(({ file, target }) => {
      const [from, to] = [dirname(file), dirname(target)];
      const [folder = ''] = from.split('/');
      // Pages and other files beside the sources are part of their room.
      if (from === to || to.split('/')[0] !== folder || !/\.tsx?$/.test(target)) return false;
      const allowed = (allowedRooms[from] ?? []).map((room) =>
        normalize(join(folder, room)).replace(/\/$/, ''),
      );
      return !allowed.includes(to);
    });
    expect(strays).toEqual([]);
  });

  test('of types or code never lead back to where they began, between files or between rooms', () => {
    expect(circles(graph)).toEqual([]);
    const rooms = new Map<string, Set<string>>();
    for (const { file, target } of arrows) {
      const [from, to] = [dirname(file), dirname(target)];
      if (from !== to) rooms.set(from, (rooms.get(from) ?? new Set()).add(to));
    }
    expect(circles(rooms)).toEqual([]);
  });

  test('of what runs in browsers take types alone from the recorder, and only packages that Vite bundles', () => {
    const browsers = sources.filter((file) => file.startsWith(pages));
    expect(browsers.length).toBeGreaterThan(10);
    const code = browsers.flatMap((file) =>
      [...read(file).matchAll(/^import (?!type )[^;]*?from '(\.[^']+)'/gm)]
        .map(([, path = '']) => normalize(join(dirname(file), path)))
        .filter((target) => !target.startsWith(pages)),
    );
    expect(code).toEqual([]);
    const bundled = /^(@preact\/signals|preact(\/hooks)?|swagger-ui-dist\/.*\?url|uplot(\/.*\.css)?)$/;
    expect(browsers.flatMap(packages).filter((name) => !bundled.test(name))).toEqual([]);
    const others = sources.filter((file) => !file.startsWith(pages));
    const strays = others.filter((file) => imports(file).some((target) => target.startsWith(pages)));
    expect(strays).toEqual([]);
  });

  test('of main load no database and nothing that makes Parquet: its thread does', () => {
    const modules = loaded('actors/main.ts');
    expect(modules).toContain('http/server.ts');
    expect(modules).toContain('store/log/log-store.ts');
    const makers = /^import (?!type\b)[^;]*?from '(@duckdb\/|hyparquet-writer|@uwdata\/)/m;
    expect(modules.filter((file) => makers.test(read(file)))).toEqual([]);
  });

  test("leave JetStream's own objects to bus/nats", () => {
    const users = sources.filter((file) => /\.jetStream\b/.test(read(file)));
    expect(users).toContain('bus/nats/jetstream.ts');
    expect(users.filter((file) => !file.startsWith('bus/nats/'))).toEqual([]);
  });

  test.each(confined)('of $name are in $place only', ({ name, place }) => {
    const users = sources.filter((file) => packages(file).some((each) => name.test(each)));
    expect(users.length).toBeGreaterThan(0);
    expect(users.filter((file) => !place.test(file))).toEqual([]);
  });
});

/** For each node that can be reached from itself, the first way back. */
function circles(edges: ReadonlyMap<string, Iterable<string>>): string[][] {
  return [...edges.keys()]
    .flatMap((start) => circle(edges, start, [start]) ?? [])
    .map((path) => [path].flat());
}

function circle(
  edges: ReadonlyMap<string, Iterable<string>>,
  start: string,
  path: readonly string[],
  seen = new Set<string>(),
): string[][] | undefined {
  for (const next of edges.get(path.at(-1) ?? '') ?? []) {
    if (next === start) return [[...path, next]];
    if (seen.has(next)) continue;
    seen.add(next);
    const found = circle(edges, start, [...path, next], seen);
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
      .filter((file) => /\.(tsx?|mjs|js|py|css|html|sql)$/.test(file) && !file.startsWith('test/'))
      .map((file) => ({ file, lines: read(file).split('\n').length - 1 }))
      .filter(({ lines }) => lines > longestFile);
    expect(long).toEqual([]);
  });

  test('begins every room with a README', () => {
    const rooms = new Set([...sources.map((file) => dirname(file)), 'setup', 'test']);
    expect([...rooms].filter((room) => !files.includes(`${room}/README.md`))).toEqual([]);
  });

  test('names in its READMEs only files and folders that are there', () => {
    const missing = files
      .filter((file) => basename(file) === 'README.md')
      .flatMap((readme) => {
        const text = read(readme).replaceAll('NAME.bench.ts', '');
        const names = [...text.matchAll(/[\w./-]*[\w-]\.(?:tsx?|mjs)\b/g)].map(([name]) => name);
        const links = [...text.matchAll(/\]\((?!https?:|#)([^)#\s]+)/g)].map(([, link = '']) => link);
        return [
          ...names.filter(
            (name) => !files.some((file) => `/${file}`.endsWith(`/${name.replace(/^(\.{0,2}\/)+/, '')}`)),
          ),
          ...links.filter((link) => !existsSync(join(project, dirname(readme), link))),
        ].map((name) => `${readme}: ${name}`);
      });
    expect(missing).toEqual([]);
  });

  test('keeps its rooms small', () => {
    const sizes = new Map<string, number>();
    for (const file of sources) sizes.set(dirname(file), (sizes.get(dirname(file)) ?? 0) + 1);
    expect([...sizes].filter(([, size]) => size > maxFilesPerRoom)).toEqual([]);
  });

  test('has no two source files of one name', () => {
    expect(repeated(sources.map((file) => basename(file)))).toEqual([]);
  });

  test('exports no two types, classes or functions of one name', () => {
    const exported = /^export (?:async )?(?:abstract )?(?:class|interface|type|function\*?) (\w+)/gm;
    // A schema and the type of its values share a name, and a file.
    const names = sources.flatMap((file) => [
      ...new Set([...read(file).matchAll(exported)].map(([, name = '']) => name)),
    ]);
    expect(repeated(names)).toEqual([]);
  });
});

function repeated(names: readonly string[]): string[] {
  return names.filter((name, index) => names.indexOf(name) !== index);
}

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

import { mkdir, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { detectors } from '../../../actors/detectors/host/detector-list.ts';
import { motion as motionDetector } from '../../../actors/detectors/motion/motion-definition.ts';
import { tflite as tfliteDetector } from '../../../actors/detectors/objects/tflite-definition.ts';
import { StoreError } from '../../../store/base/store-error.ts';
import { resolveMediaFile } from '../../../store/monitors/media-file.ts';
import { Monitors } from '../../../store/monitors/monitors.ts';
import { temporaryFolder } from '../../support/folder.ts';

const monitor = (fields: object = {}) => ({
  id: 'one',
  name: 'Front door',
  enable: true,
  alwaysRecord: false,
  videoLength: 15,
  source: 'rtsp',
  sourcertsp: { protocol: 'tcp', mainStream: 'rtsp://admin:hunter2@camera.example:554/main' },
  ...fields,
});
const rtsp = (mainStream: unknown, rest: object = {}) =>
  monitor({ sourcertsp: { protocol: 'tcp', mainStream, ...rest } });

const zone = { enable: true, sensitivity: 8, thresholdMin: 10, thresholdMax: 100, area: [[1, 2]] };
const motion = { enable: true, feedRate: 2, duration: 120, zones: [zone] };

/** Opens a folder where these files stand; a value that is no text is written as JSON. */
async function openWith(files: Record<string, unknown> = {}, mediaDir?: string) {
  const folder = await temporaryFolder();
  const monitorsFolder = join(folder, 'monitors');
  await mkdir(monitorsFolder);
  for (const [name, content] of Object.entries(files)) {
    await writeFile(
      join(monitorsFolder, name),
      typeof content === 'string' ? content : JSON.stringify(content),
    );
  }
  const options = { detectors, ...(mediaDir !== undefined && { mediaDir }) };
  const open = () => Monitors.open(folder, options);
  return { folder: monitorsFolder, monitors: await open(), open };
}

test('a monitor is stored whole, unknown fields included, and is there after a restart', async () => {
  const { folder, monitors, open } = await openWith();
  const config = monitor({ thumbScale: 'half', future: { a: [1, { b: null }], 'x/y': 0.1 }, motion });
  expect(await monitors.put(config)).toBe('created');
  expect(await monitors.put(config)).toBe('replaced');
  expect(monitors.get('one')).toEqual(config);
  expect((await open()).list()).toEqual([config]);
  expect(JSON.parse(await readFile(join(folder, 'one.json'), 'utf8'))).toEqual(config);
  expect((await stat(join(folder, 'one.json'))).mode & 0o777).toBe(0o640);
  await monitors.put(monitor());
  expect(monitors.get('one')).toEqual(monitor());

  await monitors.remove('one');
  expect([monitors.list(), await readdir(folder)]).toEqual([[], []]);
  await expect(monitors.remove('one')).rejects.toMatchObject({ code: 'not_found' });
});

test("SentryShot's own files load unchanged", async () => {
  const minimal = {
    id: '123',
    name: 'test',
    enable: false,
    alwaysRecord: false,
    videoLength: 0,
    source: 'rtsp',
    sourcertsp: { protocol: 'tcp', mainStream: 'rtsp://x' },
  };
  const full = {
    alwaysRecord: true,
    enable: true,
    id: 'kpxzw',
    motion: {
      duration: 120,
      enable: true,
      feedRate: 0.5,
      frameScale: 'full',
      zones: [
        {
          area: [{ x: 300000, y: 200000 }, [700000, 200000], [700000, 800000]],
          enable: true,
          preview: true,
          sensitivity: 8,
          thresholdMax: 100,
          thresholdMin: 10.5,
        },
      ],
    },
    name: 'camera_1',
    source: 'rtsp',
    sourcertsp: { mainStream: 'rtsp://u:p@192.0.2.1/1', protocol: 'udp', subStream: null },
    tflite: {
      crop: [10, 20, 1000000],
      detectorName: 'cpu_detector1',
      duration: 120,
      enable: false,
      feedRate: 0.2,
      mask: { area: [{ x: 1, y: 2 }], enable: false },
      thresholds: { person: 100, 'traffic light': 50 },
      useSubStream: true,
    },
    thumbScale: 'half',
    videoLength: 15.5,
  };
  const { monitors } = await openWith({
    '123.json': minimal,
    'kpxzw.json': full,
    'off.json': { ...minimal, id: 'off', motion: {}, tflite: {} },
  });
  expect(monitors.broken).toEqual([]);
  expect(monitors.get('123')).toEqual({ ...minimal, videoLength: 15 });
  const [area, maskArea] = [
    [
      [300000, 200000],
      [700000, 200000],
      [700000, 800000],
    ],
    [[1, 2]],
  ];
  expect(monitors.get('kpxzw')).toEqual({
    ...full,
    motion: { ...full.motion, zones: [{ ...full.motion.zones[0], area }] },
    tflite: {
      ...full.tflite,
      crop: { x: 10, y: 20, size: 1000000 },
      mask: { enable: false, area: maskArea },
    },
  });
  expect(monitors.get('off')).toEqual({ ...minimal, id: 'off', videoLength: 15 });
  await expect(monitors.put(minimal)).rejects.toMatchObject({ pointer: '/videoLength' });
});

test('a broken file costs only itself and is listed with its reason', async () => {
  const { folder, monitors } = await openWith({
    'good.json': monitor({ id: 'good' }),
    'text.json': '{ "password": "hunter2"',
    'wrong.json': monitor({ id: 'wrong', enable: 'true' }),
    'not an id.json': [],
    'z.json': monitor({ id: 'good', name: 'twin' }),
    'huge.json': `"${'x'.repeat(70_000)}"`,
    'proto.json': '{"__proto__": {"id": "x"}}',
    'deep.json': '['.repeat(50_000),
    '.hidden.json': 'no',
    '.one.json.tmp': 'no',
    'notes.txt': 'no',
  });
  await mkdir(join(folder, 'folder.json'));
  expect(monitors.list().map(({ id, name }) => [id, name])).toEqual([['good', 'Front door']]);
  expect(monitors.broken).toEqual(
    [
      ['deep', 'expected JSON'],
      ['huge', 'expected at most 65536 bytes'],
      ['not an id', 'expected an object'],
      ['proto', '/__proto__: this key is not allowed'],
      ['text', 'expected JSON'],
      ['wrong', '/enable: expected true or false: run this monitor'],
      ['z', '/id: good.json already has a monitor with this id'],
    ].map(([name, error]) => ({
      file: join(folder, `${name}.json`),
      monitorID: name === 'not an id' ? '' : name,
      error,
    })),
  );
});

test('a put replaces a broken file and keeps what stood in it', async () => {
  const { folder, monitors } = await openWith({ 'one.json': '{ broken' });
  expect(await monitors.put(monitor())).toBe('created');
  expect(monitors.broken).toEqual([]);
  expect(await readFile(join(folder, 'one.json.broken'), 'utf8')).toBe('{ broken');
});

test('a monitor stays in the file that it came from', async () => {
  const { folder, monitors, open } = await openWith({
    'copied.json': monitor(),
    'two.json': monitor({ id: 'x' }),
  });
  await monitors.put(monitor({ name: 'renamed' }));
  expect((await readdir(folder)).sort()).toEqual(['copied.json', 'two.json']);
  expect((await open()).get('one')?.name).toBe('renamed');
  // Its file would be that of another monitor.
  await expect(monitors.put(monitor({ id: 'two' }))).rejects.toMatchObject({ code: 'conflict' });
  await monitors.remove('one');
  expect(await readdir(folder)).toEqual(['two.json']);
});

test.each([
  [null, ''],
  [[], ''],
  ['text', ''],
  [{}, '/source'],
  [monitor({ id: '' }), '/id'],
  [monitor({ id: '../../etc' }), '/id'],
  [monitor({ id: 'a'.repeat(25) }), '/id'],
  [monitor({ id: 'é' }), '/id'],
  [monitor({ name: '' }), '/name'],
  [monitor({ name: '   ' }), '/name'],
  [monitor({ name: 'a\nb' }), '/name'],
  [monitor({ name: 'a\u202eb' }), '/name'],
  [monitor({ name: 'x'.repeat(65) }), '/name'],
  [monitor({ enable: 1 }), '/enable'],
  [monitor({ alwaysRecord: undefined }), '/alwaysRecord'],
  [monitor({ videoLength: 0 }), '/videoLength'],
  [monitor({ videoLength: -1 }), '/videoLength'],
  [monitor({ videoLength: '15' }), '/videoLength'],
  [monitor({ videoLength: Number.POSITIVE_INFINITY }), '/videoLength'],
  [monitor({ source: 'exec' }), '/source'],
  [monitor({ source: 'file' }), '/sourcefile'],
  [monitor({ source: 'test' }), '/sourcetest'],
  [monitor({ sourcertsp: undefined }), '/sourcertsp'],
  [monitor({ sourcertsp: { protocol: 'http', mainStream: 'rtsp://x' } }), '/sourcertsp/protocol'],
  [rtsp('http://camera/'), '/sourcertsp/mainStream'],
  [rtsp('rtsp:///stream'), '/sourcertsp/mainStream'],
  [rtsp('rtsp://'), '/sourcertsp/mainStream'],
  [rtsp('exec:rm'), '/sourcertsp/mainStream'],
  [rtsp('rtsp://host/a b'), '/sourcertsp/mainStream'],
  [rtsp('rtsp://host/"!filesink'), '/sourcertsp/mainStream'],
  [rtsp('rtsp://host/\nx'), '/sourcertsp/mainStream'],
  [rtsp('rtsp://host/\\'), '/sourcertsp/mainStream'],
  [rtsp('rtsp://user:1#2@host/'), '/sourcertsp/mainStream'],
  [rtsp(`rtsp://host/${'x'.repeat(2048)}`), '/sourcertsp/mainStream'],
  [rtsp('rtsp://host', { subStream: '' }), '/sourcertsp/subStream'],
  [rtsp('rtsp://host', { subStream: 'file:///etc/passwd' }), '/sourcertsp/subStream'],
  // A source that is not in use is checked as well.
  [{ ...rtsp('http://x'), source: 'test', sourcetest: {} }, '/sourcertsp/mainStream'],
  [monitor({ motion: { ...motion, zones: [{ ...zone, sensitivity: 101 }] } }), '/motion/zones/0/sensitivity'],
  [monitor({ motion: { ...motion, feedRate: -1 } }), '/motion/feedRate'],
  [monitor({ motion: { enable: true } }), '/motion/feedRate'],
  [monitor({ motion: { ...motion, zones: [{ ...zone, area: [[1]] }] } }), '/motion/zones/0/area/0'],
  [monitor({ motion: { ...motion, zones: [{ ...zone, area: [[1, 1e7]] }] } }), '/motion/zones/0/area/0/1'],
  [monitor({ motion: { ...motion, zones: [{ ...zone, area: [{ x: 1 }] }] } }), '/motion/zones/0/area/0/1'],
  [monitor({ tflite: { ...tfliteDetector.defaults, crop: { x: 0, y: 0, size: 0 } } }), '/tflite/crop/size'],
  [
    monitor({ tflite: { ...tfliteDetector.defaults, thresholds: { person: 101 } } }),
    '/tflite/thresholds/person',
  ],
  [monitor({ tflite: { ...tfliteDetector.defaults, thresholds: { '<b>': 1 } } }), '/tflite/thresholds/<b>'],
  [monitor({ tflite: { ...tfliteDetector.defaults, detectorName: '../x' } }), '/tflite/detectorName'],
  [JSON.parse('{"a": {"__proto__": 1}}'), '/a/__proto__'],
  [monitor({ big: 'x'.repeat(70_000) }), ''],
  [monitor({ wrong: Number.NaN }), '/wrong'],
  [monitor({ wrong: () => 1 }), '/wrong'],
])('%j is refused, and the pointer tells where', async (input, pointer) => {
  const { folder, monitors } = await openWith();
  const error = await monitors.put(input).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(StoreError);
  expect(error).toMatchObject({ code: 'invalid', pointer });
  expect((error as Error).message).not.toContain('hunter2');
  expect([monitors.list(), await readdir(folder)]).toEqual([[], []]);
});

test.each([
  'rtsp://camera',
  'rtsps://[2001:db8::1]:322/a?b=c&d=1',
  'rtsp://user:p%40ss%2F@192.0.2.1:554/Streaming/Channels/101',
  'rtsp://us@er:p@ss@host/',
])('the stream %s is accepted and kept as it is', async (url) => {
  const { monitors } = await openWith();
  await monitors.put(rtsp(url));
  expect(monitors.get('one')).toEqual(rtsp(url));
});

test('passwords are masked wherever they stand, and nothing else is', async () => {
  const { monitors } = await openWith();
  const config = {
    ...rtsp('rtsp://admin:p@ss:w@10.0.0.1:554/a@b', {
      subStream: 'rtsps://:only@h/user=a&password=b&channel=1',
    }),
    note: ['see -http://u:web@x/ and rtsp://free:554/', { k: 'ftp://a:b' }, 'ftp://a:b c@host/'],
  };
  await monitors.put(config);
  const masked = monitors.masked(monitors.get('one') as never);
  expect(masked).toEqual({
    ...rtsp('rtsp://admin:********@10.0.0.1:554/a@b', {
      subStream: 'rtsps://:********@h/user=a&password=********&channel=1',
    }),
    note: ['see -http://u:********@x/ and rtsp://free:554/', { k: 'ftp://a:b' }, 'ftp://a:********@host/'],
  });
  // Sent back unchanged, everything stays as it was.
  expect(await monitors.put(masked)).toBe('replaced');
  expect(monitors.get('one')).toEqual(config);
});

test('a masked password stays with its user and host, and goes nowhere else', async () => {
  const { monitors } = await openWith();
  await monitors.put(rtsp('rtsp://admin:hunter2@host/main'));
  // Another stream of the same camera.
  await monitors.put(
    rtsp('rtsp://admin:********@host/other', { subStream: 'rtsp://admin:********@host/sub' }),
  );
  expect(monitors.get('one')).toEqual(
    rtsp('rtsp://admin:hunter2@host/other', { subStream: 'rtsp://admin:hunter2@host/sub' }),
  );
  for (const stream of [
    'rtsp://admin:********@evil/main',
    'rtsp://admin:********@host:1/main',
    'rtsp://root:********@host/main',
    'rtsps://admin:********@host/main',
    'rtsp://evil/main?password=********',
  ]) {
    await expect(monitors.put(rtsp(stream)), stream).rejects.toMatchObject({
      code: 'invalid',
      pointer: '/sourcertsp/mainStream',
    });
  }
  await expect(monitors.put({ ...rtsp('rtsp://admin:********@host/main'), id: 'two' })).rejects.toMatchObject(
    { code: 'invalid' },
  );
  await monitors.put(rtsp('rtsp://admin:new@host/main'));
  expect(monitors.get('one')).toEqual(rtsp('rtsp://admin:new@host/main'));
});

test('a long text is masked in time that grows with its length only', async () => {
  const { monitors } = await openWith();
  const texts = [
    'a'.repeat(60_000),
    'a://'.repeat(15_000),
    'a:'.repeat(30_000),
    `a://b:${'c'.repeat(60_000)}`,
  ];
  const started = process.cpuUsage();
  for (const text of texts) {
    await monitors.put(monitor({ text }));
    monitors.masked(monitors.get('one') as never);
  }
  // Quadratic work would take many seconds; this takes milliseconds.
  expect(process.cpuUsage(started).user).toBeLessThan(3e6);
});

test('what is read cannot be changed from outside', async () => {
  const { monitors } = await openWith({ 'one.json': monitor({ motion }) });
  const config = monitors.get('one');
  expect(() => Object.assign(config as object, { name: 'x' })).toThrow();
  const zones = (config as unknown as { motion: { zones: unknown[] } }).motion.zones;
  expect(() => zones.pop()).toThrow(TypeError);
  const input = monitor();
  await monitors.put(input);
  input.sourcertsp.mainStream = 'rtsp://other';
  expect(monitors.get('one')).toEqual(monitor());
});

test('detectors are switched and stored; a missing section is made with defaults only to be enabled', async () => {
  const { monitors, open } = await openWith({ 'one.json': monitor() });
  await monitors.setDetector('one', 'motion', false);
  expect(monitors.get('one')).not.toHaveProperty('motion');
  await monitors.setDetector('one', 'motion', true);
  await monitors.setDetector('one', 'tflite', true);
  expect(monitors.get('one')).toEqual(
    monitor({ motion: motionDetector.defaults, tflite: tfliteDetector.defaults }),
  );
  await monitors.put(monitor({ motion: { ...motion, extra: 1 } }));
  await Promise.all([
    monitors.setDetector('one', 'motion', false),
    monitors.setDetector('one', 'tflite', true),
  ]);
  const expected = monitor({
    motion: { ...motion, extra: 1, enable: false },
    tflite: tfliteDetector.defaults,
  });
  expect((await open()).get('one')).toEqual(expected);
  await expect(monitors.setDetector('two', 'motion', true)).rejects.toMatchObject({ code: 'not_found' });
  await expect(monitors.setDetector('one', 'name', true)).rejects.toMatchObject({ code: 'not_found' });
});

test('a file source stays inside the media folder, links included', async () => {
  const media = await temporaryFolder();
  const outside = await temporaryFolder();
  await mkdir(join(media, 'sub'));
  await writeFile(join(media, 'sub', 'clip.mp4'), '');
  await writeFile(join(outside, 'secret.mp4'), '');
  await symlink(join(outside, 'secret.mp4'), join(media, 'link.mp4'));
  await symlink(outside, join(media, 'out'));
  await symlink(join(media, 'sub'), join(media, 'inside'));
  const { monitors } = await openWith({}, media);
  const put = (path: string) =>
    monitors.put(monitor({ source: 'file', sourcertsp: undefined, sourcefile: { path, loop: true } }));

  for (const path of ['sub/clip.mp4', 'inside/clip.mp4', 'later.mp4', 'a..b/..c.mp4']) await put(path);
  for (const path of [
    '',
    '/etc/passwd',
    '..',
    '../x.mp4',
    'sub/../../x.mp4',
    'sub/..',
    'a\\b',
    'a\u0000b',
    'link.mp4',
    'out/secret.mp4',
    'sub',
    '.',
    'x'.repeat(513),
  ]) {
    await expect(put(path), path).rejects.toMatchObject({ code: 'invalid', pointer: '/sourcefile/path' });
  }
  expect(await resolveMediaFile(media, 'inside/clip.mp4')).toBe(join(media, 'sub', 'clip.mp4'));
  await expect(resolveMediaFile(media, 'later.mp4')).rejects.toMatchObject({ code: 'not_found' });
  await expect(resolveMediaFile(join(media, 'none'), 'x')).rejects.toMatchObject({ code: 'not_found' });
});

test('when the disk fails, the stored monitor stays', async () => {
  const { folder, monitors, open } = await openWith();
  await monitors.put(monitor());
  const file = join(folder, 'one.json');
  const text = await readFile(file, 'utf8');
  await rm(file);
  await mkdir(join(file, 'in-the-way'), { recursive: true });
  await expect(monitors.put(monitor({ name: 'new' }))).rejects.toMatchObject({ code: 'io' });
  expect(monitors.get('one')?.name).toBe('Front door');
  await rm(file, { recursive: true });
  await writeFile(file, text);
  await monitors.put(monitor({ name: 'new' }));
  expect((await open()).get('one')?.name).toBe('new');
});

test('odd JSON never crashes a put, and nothing invalid is ever stored', async () => {
  const { monitors, open } = await openWith();
  const leaf = fc.oneof(
    fc.jsonValue({ maxDepth: 2 }),
    fc.anything({ maxDepth: 2 }),
    fc.constantFrom(
      'rtsp',
      'file',
      'test',
      'tcp',
      'rtsp://a:********@b',
      'rtsp://a:b@c',
      '__proto__',
      'a.mp4',
    ),
  );
  const valid = fc.constantFrom<object>(
    monitor({ motion, tflite: tfliteDetector.defaults }),
    monitor({ source: 'file', sourcefile: { path: 'a.mp4', loop: true } }),
    monitor({ source: 'test', sourcetest: {}, id: 'two' }),
  );
  // A valid configuration with some places changed, removed or added.
  const mutation = fc.tuple(fc.nat(), fc.oneof(fc.constant(undefined), fc.string()), leaf);
  const mutated = fc
    .tuple(valid, fc.array(mutation, { minLength: 1, maxLength: 4 }))
    .map(([config, changes]) => {
      const copy = structuredClone(config);
      for (const [at, key, value] of changes) {
        const objects = containers(copy);
        const target = objects[at % objects.length] as Record<string, unknown>;
        const keys = Object.keys(target);
        target[key ?? keys[at % (keys.length || 1)] ?? 'x'] = value;
      }
      return copy;
    });
  let stored = 0;
  await fc.assert(
    fc.asyncProperty(fc.oneof({ weight: 4, arbitrary: mutated }, fc.anything()), async (input) => {
      try {
        await monitors.put(input);
        stored += 1;
      } catch (error) {
        expect(error).toBeInstanceOf(StoreError);
        expect((error as StoreError).code).toBe('invalid');
        return;
      }
      const reopened = await open();
      expect(reopened.broken).toEqual([]);
      expect(reopened.list()).toEqual(monitors.list());
      for (const config of monitors.list()) {
        expect(JSON.stringify(monitors.masked(config))).not.toMatch(/:b@|hunter2/);
      }
      expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
    }),
    { numRuns: 1500 },
  );
  expect(stored).toBeGreaterThan(20);
});

/** Every object and array in a value. */
function containers(value: unknown): object[] {
  if (typeof value !== 'object' || value === null) return [];
  return [value, ...Object.values(value).flatMap(containers)];
}

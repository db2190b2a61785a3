import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { motion as motionDetector } from '../../../actors/detectors/motion/motion-definition.ts';
import { tflite as tfliteDetector } from '../../../actors/detectors/objects/tflite-definition.ts';
import { StoreError } from '../../../store/base/store-error.ts';
import { monitor, motion, openWith } from '../../support/monitor-files.ts';

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
  await monitors.remove('one');
  // Its file would be that of another monitor.
  await monitors.put(monitor({ id: 'two' }));
  expect((await readdir(folder)).sort()).toEqual(['two-2.json', 'two.json']);
  expect((await open()).list().map(({ id }) => id)).toEqual(['two', 'x']);
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

test('a sub stream that is not there cannot be asked to be recorded; a stored file may ask in vain', async () => {
  const inVain = monitor({ id: 'two', recordSubStream: true });
  const { monitors } = await openWith({ 'two.json': inVain });
  expect(monitors.get('two')).toEqual(inVain);
  await expect(monitors.put(monitor({ recordSubStream: true }))).rejects.toMatchObject({
    ...{ code: 'invalid', pointer: '/recordSubStream' },
    message: 'expected false, because this monitor has no sub stream to record',
  });
  const sourcertsp = { protocol: 'tcp', mainStream: 'rtsp://h/main', subStream: 'rtsp://h/sub' };
  const both = monitor({ recordSubStream: true, source: 'rtsp', sourcertsp });
  expect(await monitors.put(both)).toBe('created');
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
        const name = key ?? keys[at % (keys.length || 1)] ?? 'x';
        // JavaScript itself refuses the length "a" of a list.
        if (Array.isArray(target) && name === 'length') continue;
        target[name] = value;
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
      // JSON writes -0 as 0.
      expect(reopened.list()).toEqual(JSON.parse(JSON.stringify(monitors.list())));
      for (const config of monitors.list()) {
        expect(JSON.stringify(monitors.masked(config))).not.toMatch(/\/\/a:b@|hunter2/);
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

import { readdir } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { tflite as tfliteDetector } from '../../../actors/detectors/objects/tflite-definition.ts';
import { StoreError } from '../../../store/base/store-error.ts';
import { monitor, motion, openWith, rtsp, zone } from '../../support/monitor-files.ts';

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
  [rtsp('rtsp://ho st/a'), '/sourcertsp/mainStream'],
  [rtsp('rtsp://host/a '), '/sourcertsp/mainStream'],
  [rtsp('rtsp://host/\nx'), '/sourcertsp/mainStream'],
  [rtsp('rtsp://user:1#hunter2@host/'), '/sourcertsp/mainStream'],
  [rtsp('rtsp://user:hunter2%zz%40@host/'), '/sourcertsp/mainStream'],
  [rtsp(5), '/sourcertsp/mainStream'],
  [rtsp('rtsp://host/', { patience: 0 }), '/sourcertsp/patience'],
  [rtsp('rtsp://host/', { patience: 301 }), '/sourcertsp/patience'],
  [monitor({ recordSubStream: 'yes' }), '/recordSubStream'],
  [monitor({ retention: { maxDays: 0 } }), '/retention/maxDays'],
  [monitor({ retention: { maxGigabytes: 0.0001 } }), '/retention/maxGigabytes'],
  [monitor({ retention: { minHours: -1 } }), '/retention/minHours'],
  [monitor({ retention: { events: { person: 0 } } }), '/retention/events/person'],
  [monitor({ retention: { events: 60 } }), '/retention/events'],
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
  'RTSP://admin:hunter2@host/main?',
  'rtsp://admin:p/s?s#w"\\d x@192.0.2.1:554/main',
  'rtsp://admin:a;b%c@host/main',
])('the stream %s is accepted and kept as it is', async (url) => {
  const { monitors } = await openWith();
  await monitors.put(rtsp(url));
  expect(monitors.get('one')).toEqual(rtsp(url));
});

test('an address that can be read in two ways is refused with how to write it', async () => {
  const { monitors } = await openWith();
  await expect(monitors.put(rtsp('rtsp://admin:2026/hunter2@host/main'))).rejects.toMatchObject({
    message:
      'the address can be read in two ways: write @ as %40 wherever it does not end the password, and in the user name and password also / as %2F, ? as %3F, # as %23, : as %3A',
  });
  await expect(monitors.put(rtsp('rtsp://host/main '))).rejects.toMatchObject({
    message: 'the address ends with a space',
  });
});

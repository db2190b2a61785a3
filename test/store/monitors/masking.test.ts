import { expect, test } from 'vitest';
import { monitor, openWith, rtsp } from '../../support/monitor-files.ts';

test('passwords are masked wherever they stand, and nothing else is', async () => {
  const { monitors } = await openWith();
  const config = {
    ...rtsp('rtsp://admin:p@ss:w@127.0.0.1:554/a@b', {
      subStream: 'rtsps://:only@h/user=a&password=b&channel=1',
    }),
    note: ['see -http://u:web@x/ and rtsp://free:554/', { k: 'ftp://a:b' }, 'ftp://a:b c@host/'],
  };
  await monitors.put(config);
  const masked = monitors.masked(monitors.get('one') as never);
  expect(masked).toEqual({
    ...rtsp('rtsp://admin:********@127.0.0.1:554/a@b', {
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

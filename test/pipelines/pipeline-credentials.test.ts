import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { LogEntry } from '../../bus/messages.ts';
import { logs } from '../../bus/subjects.ts';
import { startTestBus } from '../support/bus.ts';
import { startCamera, testMounts } from '../support/camera.ts';
import { startDetectorHost } from '../support/detector-host.ts';
import { FakeCamera } from '../support/fake-camera.ts';
import { temporaryFolder } from '../support/folder.ts';
import { oneMount, patience, rtsp, start, watch } from '../support/pipeline.ts';
import { commandLine, environment } from '../support/processes.ts';
import { startInProcess } from '../support/stream-in-process.ts';
import { waitFor } from '../support/wait.ts';

describe('a pipeline', () => {
  test('keeps its credentials to itself', patience, async () => {
    const camera = await oneMount(testMounts.h264(), {
      user: 'guard',
      password: 'p@ss:/1',
      method: 'digest',
    });
    const running = await start(rtsp(camera.url('main')));
    await running.report('streaming');
    for (const place of [commandLine(running.pid), environment(running.pid).join(' ')]) {
      expect(place).not.toMatch(/p@ss|p%40ss/);
    }
    await running.stop();
  });

  test.each(['basic', 'digest'] as const)(
    'logs in once per connection, with the right and with a wrong password (%s)',
    patience,
    async (method) => {
      const password = `p@ss: /?#%41"'&+ä`;
      const camera = await oneMount(testMounts.h264(), { user: 'gu@rd', password, method });
      const running = await start(rtsp(camera.url('main')));
      await running.report('streaming');
      expect(camera.logins()).toBe(1);
      await running.stop();
      const refused = await start(rtsp(camera.url('main', 'gu@rd', 's3cret')));
      expect(await refused.end).toEqual({ reason: 'unauthorized', detail: 'wrong user name or password' });
      expect(camera.logins()).toBe(2);
    },
  );

  test('logs in to a sub stream once, when the main stream was accepted', patience, async () => {
    const { server, bus } = await startTestBus();
    const mounts = { main: testMounts.h264(), sub: testMounts.h264() };
    const camera = await startCamera({ mounts, user: 'guard', password: 'right' });
    const [main, sub] = [camera.url('main'), camera.url('sub', 'guard', 's3cret')];
    const frames = { isSubDetected: true, bus: server.address };
    const running = await start({ kind: 'rtsp', protocol: 'tcp', main, sub }, frames);
    await startDetectorHost(server.address);
    watch(bus, { stream: 'sub' });
    const { text } = await running.report('trouble');
    expect(text).toBe(
      'sub stream: wrong user name or password; next login in 1 minute; detectors wait for it',
    );
    expect(camera.logins()).toBe(2);
    await running.stop();
    const wrong = camera.url('main', 'guard', 's3cret');
    const refused = await start({ kind: 'rtsp', protocol: 'tcp', main: wrong, sub }, frames);
    expect((await refused.end).reason).toBe('unauthorized');
    expect(camera.logins()).toBe(3);
  });
});

test('a wrong password is one login, however much the sub stream is wanted', async () => {
  const login = { user: 'guard', password: 'right', challenges: ['Basic realm="camera"'] };
  const camera = await FakeCamera.start({
    login,
    // Slow enough for a login to the sub stream that does not wait for the main stream's.
    answer: ({ url }, usual, connection) => {
      if (!url.endsWith('/main')) return [usual];
      setTimeout(() => void connection.send(usual), 150);
      return [];
    },
  });
  const [main, sub] = [camera.url('guard:s3cret@'), camera.url('guard:s3cret@', '/sub')];
  const { session, end } = await startInProcess(
    { kind: 'rtsp', protocol: 'tcp', main, sub },
    { recordSubStream: true, isSubDetected: true },
  );
  session.detect('sub', { begin: true, rates: [], keys: null, again: null, trouble: null });
  session.watch('sub', { begin: true, sound: false });
  expect((await end).reason).toBe('unauthorized');
  expect(camera.login?.wrong).toBe(1);
});

test('a pipeline that fails where nobody expected it keeps its credentials to itself', patience, async () => {
  const { server } = await startTestBus();
  const camera = await oneMount(testMounts.h264());
  // No subject of the bus can hold this id, and the error says so.
  const running = await start(rtsp(camera.url('main', 'guard', 's3cret')), {
    monitorID: 'at guard:s3cret@camera',
    bus: server.address,
  });
  const { reason, detail } = await running.end;
  expect(reason).toBe('failed');
  expect(detail).toContain('at ***@camera');
  expect(detail).not.toContain('s3cret');
});

test('log entries and reports of a pipeline hold no login, whatever text it came in', patience, async () => {
  const { server, bus } = await startTestBus();
  const entries: LogEntry[] = [];
  bus.subscribe(logs, ['*', '*', 'door'], (entry) => entries.push(entry));
  const camera = await oneMount(testMounts.h264());
  const file = join(await temporaryFolder(), 'guard:s3cret@camera');
  await writeFile(file, '');
  // No recording can be made below a file, and the error names it.
  const running = await start(rtsp(camera.url('main', 'guard', 's3cret')), {
    bus: server.address,
    recordingsDir: file,
  });
  const { text } = await running.report('trouble');
  const entry = await waitFor(() => entries.find(({ level }) => level === 'error'), 5000, 'an error');
  for (const told of [text, entry.msg]) {
    expect(told).toContain('***');
    expect(told).not.toContain('s3cret');
  }
});

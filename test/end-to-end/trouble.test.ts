import { execFileSync } from 'node:child_process';
import { access, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { LogEntry, MonitorStatus } from '../../bus/messages.ts';
import { status } from '../../bus/subjects.ts';
import { startTestBus } from '../support/bus.ts';
import { startCamera, testMounts } from '../support/camera.ts';
import { startChild } from '../support/child.ts';
import { temporaryFolder } from '../support/folder.ts';
import { rtspMonitor, testMonitor } from '../support/monitors.ts';
import { freePort } from '../support/ports.ts';
import { project } from '../support/project.ts';
import { startRecorder } from '../support/recorder.ts';
import { recordingsIn } from '../support/recordings.ts';
import { waitFor } from '../support/wait.ts';

test('each camera in trouble says why, once and without a secret, and the others go on', async () => {
  const locked = await startCamera({
    mounts: { main: testMounts.h264() },
    user: 'viewer',
    password: 'right',
  });
  const odd = await startCamera({
    mounts: { good: testMounts.h264(), audio: testMounts.audioOnly, mjpeg: testMounts.mjpeg },
  });
  const nobody = await freePort();
  const { server, bus } = await startTestBus();
  const states = new Map<string, MonitorStatus>();
  bus.subscribe(status, ['*'], (state) => void states.set(`${state.monitorID} ${state.state}`, state));
  const { servers, token } = server.address;
  const recorder = await startRecorder({
    config: { bus: { servers, token } },
    monitors: [
      rtspMonitor('password', [locked.url('main', 'viewer', 'hunter2')]),
      rtspMonitor('nobody', [`rtsp://127.0.0.1:${nobody}/main`]),
      rtspMonitor('missing', [odd.url('nowhere')]),
      rtspMonitor('audio', [odd.url('audio')]),
      rtspMonitor('mjpeg', [odd.url('mjpeg')]),
      rtspMonitor('good', [odd.url('good')], { alwaysRecord: true }),
      testMonitor('demo', { alwaysRecord: true }),
    ],
  });
  const reasons = {
    password: /password|unauthorized/i,
    nobody: /connect|unreachable|refused/i,
    missing: /not found|no such/i,
    audio: /no video/,
    mjpeg: /H\.?264/i,
  };
  const waiting = async (monitor: string) => {
    const entries = await recorder.get<LogEntry[]>(`/api/log/query?monitors=${monitor}&levels=error`);
    return entries.filter(({ msg }) => msg.startsWith('waiting: '));
  };
  for (const [monitor, reason] of Object.entries(reasons)) {
    const [entry] = await waitFor(
      async () => {
        const found = await waiting(monitor);
        return found.length > 0 && found;
      },
      20_000,
      `why ${monitor} waits`,
    );
    expect(entry).toMatchObject({ level: 'error', monitorID: monitor, src: 'monitor' });
    expect(entry?.msg).toMatch(reason);
    expect(states.get(`${monitor} waiting`)?.reason).toMatch(reason);
  }
  await waitFor(
    async () => {
      const found = await recordingsIn(recorder.recordings);
      return ['good', 'demo'].every((id) => found.some((file) => file.endsWith(`_${id}.mp4`)));
    },
    20_000,
    'recordings of the two that work',
  );
  // Several attempts later each has still said it once.
  await waitFor(
    async () => (await recorder.get<LogEntry[]>('/api/log/query?monitors=nobody&levels=debug')).length >= 3,
    20_000,
    'a few more attempts',
  );
  for (const monitor of Object.keys(reasons)) expect(await waiting(monitor)).toHaveLength(1);
  const everything = JSON.stringify(await recorder.get('/api/log/query?limit=10000'));
  expect(everything).not.toContain('hunter2');
  expect(recorder.lines.join('\n')).not.toContain('hunter2');
});

test('a camera that refuses a login gets another one when it is asked for, or the password changes', async () => {
  const camera = await startCamera({
    mounts: { main: testMounts.h264() },
    user: 'viewer',
    password: 'r"ght@1',
  });
  const recorder = await startRecorder({
    monitors: [rtspMonitor('door', [camera.url('main', 'viewer', 'hunter2')])],
  });
  await recorder.line(/door: Monitor: waiting: .*password; next login in 1 minute, or when/, 30_000);
  expect(camera.logins()).toBe(1);
  await recorder.change('POST', '/api/monitor/restart?id=door');
  await recorder.line(/door: Monitor: waiting: .*next login in 5 minutes/, 30_000);
  expect(camera.logins()).toBe(2);
  await recorder.change('PUT', '/api/monitor', rtspMonitor('door', [camera.url('main')]));
  await recorder.line(/door: Monitor: streaming/, 30_000);
  expect(camera.logins()).toBe(3);
  expect(recorder.lines.join('\n')).not.toMatch(/hunter2|r"ght|r%22ght/);
});

test('a monitor file that cannot be used is named in the log, and the others start', async () => {
  const recorder = await startRecorder({
    monitors: [{ id: 'broken' }, testMonitor('demo', { alwaysRecord: true })],
  });
  const [entry] = await waitFor(
    async () => {
      const found = await recorder.get<LogEntry[]>('/api/log/query?levels=error&monitors=broken');
      return found.length > 0 && found;
    },
    5000,
    'the entry',
  );
  expect(entry?.msg).toMatch(/broken\.json: .*expected/);
  await waitFor(
    async () => (await recordingsIn(recorder.recordings)).length > 0,
    15_000,
    'a recording of the other',
  );
});

/** A start that is expected to end by itself; `npm start -- --config FILE` once everything is installed. */
const startIn = (folder: string, file: string) => {
  const entry = `import { runRecorder } from ${JSON.stringify(join(project, 'dist/actors/main.js'))}; await runRecorder(['--config', ${JSON.stringify(file)}]);`;
  return startChild('node', ['--input-type=module', '--eval', entry], { cwd: folder });
};

test('an unknown key in the configuration stops the start with one line', async () => {
  const folder = await temporaryFolder();
  const file = join(folder, 'sentryshot.toml');
  await writeFile(file, `colour = "blue"\nstorage_dir = ${JSON.stringify(join(folder, 'storage'))}\n`);
  const child = startIn(folder, file);
  expect(await child.exited).toBe(1);
  expect(child.lines).toEqual([expect.stringMatching(/sentryshot\.toml: colour: /)]);
});

test('a folder for the configuration that is not there is made', async () => {
  const folder = await temporaryFolder();
  const [file, configs] = [join(folder, 'elsewhere.toml'), join(folder, 'new', 'configs')];
  const port = await freePort();
  await writeFile(
    file,
    [
      `config_dir = ${JSON.stringify(configs)}`,
      `storage_dir = ${JSON.stringify(join(folder, 'storage'))}`,
      'host = "127.0.0.1"',
      `port = ${port}`,
      '[[plugin]]',
      'name = "auth_basic"',
      'enable = true',
    ].join('\n'),
  );
  const child = startIn(folder, file);
  await child.line(/^Serving /, 30_000);
  await access(join(configs, 'accounts.json'));
});

test('a storage whose disk is not mounted stops the start with one line, and is not created anew', async () => {
  const recorder = await startRecorder();
  await recorder.stop();
  const storage = join(recorder.folder, 'storage');
  await rename(storage, `${storage}-unmounted`);
  const child = startIn(recorder.folder, join(recorder.folder, 'configs', 'sentryshot.toml'));
  expect(await child.exited).toBe(1);
  expect(child.lines).toEqual([expect.stringMatching(/is not the storage of the last start .* mounted/)]);
  await expect(access(storage)).rejects.toThrow('ENOENT');
});

test('cameras are recorded while what they do not need is opened, however long that takes', async () => {
  const recorder = await startRecorder({ monitors: [testMonitor('demo', { alwaysRecord: true })] });
  const { recordings, folder } = recorder;
  await waitFor(async () => (await recordingsIn(recordings)).length > 0, 15_000, 'a recording');
  await recorder.stop();
  const before = await recordingsIn(recordings);
  // The web server reads the sessions before it serves: a pipe keeps it waiting.
  const sessions = join(folder, 'configs', 'sessions.json');
  await rm(sessions, { force: true });
  execFileSync('mkfifo', [sessions]);
  const child = startIn(folder, join(folder, 'configs', 'sentryshot.toml'));
  await waitFor(
    async () => (await recordingsIn(recordings)).length > before.length,
    30_000,
    'a recording of the second start',
  );
  expect(child.lines.filter((line) => line.startsWith('Serving'))).toEqual([]);
  await writeFile(sessions, '[]');
  await child.line(/^Serving/);
  expect(await child.stop()).toBe(0);
});

test('a second recorder in the same folder is refused, and the first does not notice', async () => {
  const recorder = await startRecorder({ monitors: [testMonitor('demo')] });
  const second = startIn(recorder.folder, join(recorder.folder, 'configs', 'sentryshot.toml'));
  expect(await second.exited).toBe(1);
  expect(second.lines).toEqual([expect.stringContaining('another recorder is running here')]);
  expect((await recorder.fetch('/api/health')).status).toBe(200);
});

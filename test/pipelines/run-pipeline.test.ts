import { fork } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { beforeAll, describe, expect, test } from 'vitest';
import { PipelinePool } from '../../pipelines/host/pipeline-pool.ts';
import { patienceAfter } from '../../pipelines/protocol/patience.ts';
import type { PipelineEnd, PipelineSession } from '../../pipelines/protocol/pipeline-protocol.ts';
import { silentLogger } from '../support/bus.ts';
import { startCamera, testMounts } from '../support/camera.ts';
import { startChild } from '../support/child.ts';
import { clip } from '../support/clips.ts';
import { FakeCamera } from '../support/fake-camera.ts';
import { temporaryFolder } from '../support/folder.ts';
import { expectWhole, nowhere, oneMount, patience, recordingOf, rtsp, start } from '../support/pipeline.ts';
import { decode, probe } from '../support/probe.ts';
import { commandLine, descendants, isAlive } from '../support/processes.ts';
import { project } from '../support/project.ts';
import { videoPackets } from '../support/rtp.ts';
import { type StreamInProcess, startInProcess } from '../support/stream-in-process.ts';
import { waitFor } from '../support/wait.ts';

/** A main of its own, whose only pipeline records. */
async function startMain() {
  const session: PipelineSession = {
    monitorID: 'door',
    source: { kind: 'test' },
    recordingsDir: join(await temporaryFolder(), 'recordings'),
    alwaysRecord: true,
    videoLength: 3600_000,
    patienceMs: 10_000,
    maxPatienceMs: 60_000,
    recordSubStream: false,
    eventsLateMs: 2000,
    isSubDetected: false,
    bus: nowhere,
    log: { repeatLimit: 5, printDebug: false },
  };
  const script = `import { PipelinePool } from ${JSON.stringify(join(project, 'dist/modules/pipelines/host/pipeline-pool.js'))};
      new PipelinePool({ monitorsPerProcess: 1 }).run(${JSON.stringify(session)}, { signal: new AbortController().signal, onReport: console.log });`;
  const main = startChild(process.execPath, ['--input-type=module', '--eval', script]);
  const [, id = ''] = await main.line(/type: 'recording', file: '(.+)'/);
  const [host = 0] = descendants(main.pid).filter((pid) => commandLine(pid).startsWith(process.execPath));
  return { main, host, recordingsDir: session.recordingsDir, id };
}

test('a camera that answers or sends late is reached by a pipeline that waits longer', patience, async () => {
  const packets = await videoPackets('h264', { frames: 20 });
  // A tenth of 12 s, and of the first two waits of a monitor.
  const lateMs = 1200;
  const lateAt = (late: 'DESCRIBE' | 'PLAY') =>
    FakeCamera.start({
      answer: (request, usual, connection) => {
        if (request.method !== late || late === 'PLAY') return [usual];
        setTimeout(() => void connection.send(usual), lateMs);
        return [];
      },
      play: async (connection) => {
        if (late === 'PLAY') await pause(lateMs);
        await connection.send(...packets.map((data) => ({ channel: 0, data })));
      },
    });
  const play = async (late: 'DESCRIBE' | 'PLAY', end: PipelineEnd) => {
    const camera = await lateAt(late);
    const impatient = await start(rtsp(camera.url()), { patienceMs: 1000 });
    expect(await impatient.end).toEqual(end);
    const patient = await start(rtsp(camera.url()), { patienceMs: 2000 });
    await patient.report('streaming');
    await patient.stop();
  };
  await Promise.all([
    play('DESCRIBE', { reason: 'unreachable', detail: 'the camera did not answer DESCRIBE within 1 s' }),
    play('PLAY', { reason: 'silent', detail: 'connected, but no video came within 1 s' }),
  ]);
});

/** The first two connections of a monitor to a slow camera. They wait while the other tests of this file run. */
let slow: readonly StreamInProcess[];
beforeAll(async () => {
  const packets = await videoPackets('h264', { frames: 20 });
  const camera = await FakeCamera.start({
    answer: ({ headers }, usual, connection) => {
      if (headers['cseq'] !== '1') return [usual];
      setTimeout(() => void connection.send(usual), 12_000);
      return [];
    },
    play: async (connection) => {
      await pause(11_000);
      await connection.send(...packets.map((data) => ({ channel: 0, data })));
      connection.socket.end();
    },
  });
  slow = await Promise.all(
    [0, 1].map((failures) =>
      startInProcess(rtsp(camera.url()), { patienceMs: patienceAfter(failures, 60_000) }),
    ),
  );
});

describe.each(['tcp', 'udp'] as const)('a pipeline over %s', (protocol) => {
  test('records a camera, without any bus', patience, async () => {
    const camera = await oneMount({ file: clip('vtest.mp4') });
    const running = await start(rtsp(camera.url('main'), protocol));
    const file = await recordingOf(running, 30);
    expect(await running.stop()).toEqual({ reason: 'stopped', detail: '' });
    expect(isAlive(running.pid)).toBe(false);
    expect(await expectWhole(file)).toBeGreaterThanOrEqual(30);
    const id = file.slice(-'2026-11-23_03-40-12_door.mp4'.length, -'.mp4'.length);
    expect(running.reports).toEqual([
      { type: 'streaming' },
      { type: 'recording', file: id },
      { type: 'recording', file: null },
      { type: 'ended', reason: 'stopped', detail: '' },
    ]);
    const started = Date.parse(id.replace(/^(.{10})_(..)-(..)-(..)_door$/, '$1T$2:$3:$4Z'));
    expect(Math.abs(Date.now() - started)).toBeLessThan(30_000);
  });

  test('ends at once when its camera is killed', patience, async () => {
    const camera = await oneMount(testMounts.h264());
    const running = await start(rtsp(camera.url('main'), protocol));
    const file = await recordingOf(running);
    const before = (await probe(file)).packets.length;
    await camera.kill();
    const killed = Date.now();
    expect(await running.end).toEqual({ reason: 'lost', detail: 'the camera closed the connection' });
    expect(Date.now() - killed).toBeLessThan(3000);
    expect(await expectWhole(file)).toBeGreaterThanOrEqual(before);
  });

  test('ends soon after its camera freezes', patience, async () => {
    const camera = await oneMount(testMounts.h264());
    const running = await start(rtsp(camera.url('main'), protocol));
    const file = await recordingOf(running);
    camera.freeze();
    const frozen = Date.now();
    expect(await running.end).toEqual({ reason: 'silent', detail: 'no video for 5 s' });
    expect(Date.now() - frozen).toBeLessThan(7000);
    await expectWhole(file);
  });
});

describe('a pipeline ends', () => {
  test.each([
    ['that is not there', 'nowhere', { reason: 'not_found', detail: 'the camera has no such stream' }],
    ['without video', 'audioOnly', { reason: 'no_video', detail: 'the camera offers no video' }],
    ['of VP8', 'vp8', { reason: 'no_video', detail: 'the camera offers VP8 video, neither H.264 nor H.265' }],
  ] as const)('when it is pointed at a stream %s', patience, async (_, mount, end) => {
    const { audioOnly, vp8 } = testMounts;
    const camera = await startCamera({ mounts: { audioOnly, vp8 } });
    const running = await start(rtsp(camera.url(mount)));
    expect(await running.end).toEqual(end);
    expect(running.reports).toEqual([{ type: 'ended', ...end }]);
  });

  test('when nobody answers', patience, async () => {
    const { end } = await start(rtsp('rtsp://127.0.0.1:1/main'));
    expect(await end).toMatchObject({ reason: 'unreachable' });
  });

  test('when its address cannot be used', patience, async () => {
    const { end } = await start(rtsp('rtsp://guard:secret@a!b/'));
    expect(await end).toEqual({
      reason: 'failed',
      detail: 'the host in the address is not a name or an IP address',
    });
  });

  test.each([
    ['there is none', 'nowhere.mp4', 'not_found'],
    ['it is no video', 'text.mp4', 'broken'],
    ['its video is neither H.264 nor H.265', 'tree.avi', 'no_video'],
  ])('when its file cannot be played: %s', patience, async (_, name, reason) => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, 'text.mp4'), 'This is not a film.\n'.repeat(1000));
    const path = name === 'tree.avi' ? clip('tree.avi') : join(folder, name);
    const { end } = await start({ kind: 'file', path, loop: false });
    expect(await end).toMatchObject({ reason });
  });

  test('on request, even if its camera does not answer any more', patience, async () => {
    const camera = await oneMount(testMounts.h264());
    const running = await start(rtsp(camera.url('main')));
    const file = await recordingOf(running);
    camera.freeze();
    const stopped = Date.now();
    expect((await running.stop()).reason).toBe('stopped');
    expect(Date.now() - stopped).toBeLessThan(4000);
    await expectWhole(file);
  });

  test('before it began, when that was requested by then', patience, async () => {
    const controller = new AbortController();
    controller.abort();
    const end = await new PipelinePool({ monitorsPerProcess: 1, log: silentLogger().source('recorder') }).run(
      {
        monitorID: 'door',
        source: { kind: 'test' },
        recordingsDir: await temporaryFolder(),
        alwaysRecord: true,
        videoLength: 60_000,
        patienceMs: 10_000,
        maxPatienceMs: 60_000,
        recordSubStream: false,
        eventsLateMs: 2000,
        isSubDetected: false,
        bus: nowhere,
        log: { repeatLimit: 5, printDebug: false },
      },
      { signal: controller.signal, onReport: () => {} },
    );
    expect(end.reason).toBe('stopped');
  });

  test('with its process, and leaves a file that plays', patience, async () => {
    const running = await start({ kind: 'test' });
    const file = await recordingOf(running);
    process.kill(running.pid, 'SIGKILL');
    const end = { reason: 'failed', detail: 'the pipeline process was ended by SIGKILL' };
    expect(await running.end).toEqual(end);
    expect(running.reports.at(-1)).toEqual({ type: 'ended', ...end });
    expect(await expectWhole(file, 1 / 15)).toBeGreaterThanOrEqual(20);
  });

  test('soon after main, however that went, and finishes its file', patience, async () => {
    const { main, host, recordingsDir, id } = await startMain();
    await main.kill();
    const killed = Date.now();
    await waitFor(() => !isAlive(host), 5000, 'the end of the pipeline');
    expect(Date.now() - killed).toBeLessThan(3000);
    const [year, month, day] = id.slice(0, 10).split('-');
    await expectWhole(join(recordingsDir, `${year}/${month}/${day}/door/${id}.mp4`), 1 / 15);
  });

  test('also if main goes while it starts', patience, async () => {
    const host = fork(join(project, 'dist/pipelines/host/pipeline-host.js'), ['door'], {
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
    host.disconnect();
    const [, signal] = await once(host, 'exit');
    expect(signal).toBe('SIGKILL');
  });

  test('when it hangs, which is noticed', patience, async () => {
    const running = await start({ kind: 'test' });
    await running.report('streaming');
    process.kill(running.pid, 'SIGSTOP');
    expect(await running.end).toEqual({
      reason: 'failed',
      detail: 'the pipeline process did not answer for 15 s',
    });
    expect(isAlive(running.pid)).toBe(false);
    // Signs of life are nobody else's.
    expect(running.reports.filter(({ type }) => !['streaming', 'recording', 'ended'].includes(type))).toEqual(
      [],
    );
  });

  test('soon after main, even when it hangs, and leaves no process or file', patience, async () => {
    const { main, host } = await startMain();
    const started = descendants(main.pid);
    process.kill(host, 'SIGSTOP');
    await main.kill();
    await waitFor(() => !started.some(isAlive), 10_000, 'the end of all that main started');
  });

  test('not by Ctrl-C, which main has heard too', patience, async () => {
    const running = await start({ kind: 'test' });
    const file = await recordingOf(running);
    process.kill(running.pid, 'SIGINT');
    await recordingOf(running, (await probe(file)).packets.length + 20);
    expect(running.reports.some(({ type }) => type === 'ended')).toBe(false);
  });
});

test(
  'a camera that answers after 12 s, and then sends its first picture after 11 s, is recorded from the second try on',
  patience,
  async () => {
    const [first, second] = slow;
    const detail = 'the camera did not answer DESCRIBE within 10 s';
    expect(await first?.end).toEqual({ reason: 'unreachable', detail });
    expect(await second?.end).toEqual({ reason: 'lost', detail: 'the camera closed the connection' });
    const [file = ''] = (await second?.recordings()) ?? [];
    expect(await decode(file)).toEqual({ frames: 20, errors: '' });
  },
);

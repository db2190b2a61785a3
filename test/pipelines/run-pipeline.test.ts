import { readdir, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { nowUs } from '../../bus/base/time.ts';
import type { Frame } from '../../bus/frames.ts';
import type { FrameFormat, LogEntry } from '../../bus/messages.ts';
import type { Bus } from '../../bus/nats/bus.ts';
import { commands, logs } from '../../bus/subjects.ts';
import type {
  PipelineEnd,
  PipelineReport,
  PipelineSession,
  VideoSource,
} from '../../pipelines/protocol/pipeline-protocol.ts';
import { runPipeline } from '../../pipelines/run-pipeline.ts';
import { startTestBus } from '../support/bus.ts';
import { type Camera, type Mount, startCamera, testMounts } from '../support/camera.ts';
import { startChild } from '../support/child.ts';
import { atEnd } from '../support/cleanup.ts';
import { clip } from '../support/clips.ts';
import { encode } from '../support/encoded.ts';
import { FakeCamera } from '../support/fake-camera.ts';
import { temporaryFolder } from '../support/folder.ts';
import { decode, type Probe, probe, tracksOf } from '../support/probe.ts';
import { commandLine, descendants, environment, isAlive } from '../support/processes.ts';
import { project } from '../support/project.ts';
import { videoPackets } from '../support/rtp.ts';
import { waitFor } from '../support/wait.ts';

// One look at all plug-ins for all tests, instead of one for each folder of recordings.
process.env['GST_REGISTRY'] ??= join(homedir(), '.cache', 'sentrybus', 'gstreamer-registry.bin');

const second = 1_000_000;
const patience = { timeout: 60_000 };
/** A bus that is not there. */
const nowhere = { servers: ['127.0.0.1:1'] };

interface Running {
  readonly reports: readonly PipelineReport[];
  readonly end: Promise<PipelineEnd>;
  readonly pid: number;
  stop(): Promise<PipelineEnd>;
  /** Waits for a report of this kind. */
  report<Type extends PipelineReport['type']>(type: Type): Promise<Extract<PipelineReport, { type: Type }>>;
  recordings(): Promise<string[]>;
}

async function start(source: VideoSource, options: Partial<PipelineSession> = {}): Promise<Running> {
  const recordingsDir = join(await temporaryFolder(), 'recordings');
  const reports: PipelineReport[] = [];
  const controller = new AbortController();
  const before = descendants(process.pid);
  const end = runPipeline(
    {
      monitorID: 'door',
      source,
      recordingsDir,
      alwaysRecord: true,
      videoLength: 3600_000,
      patienceMs: 10_000,
      frames: {},
      bus: nowhere,
      log: { repeatLimit: 5, printDebug: false },
      ...options,
    },
    { signal: controller.signal, onReport: (report) => reports.push(report) },
  );
  const [pid = 0] = descendants(process.pid).filter(
    (each) => !before.includes(each) && commandLine(each).includes('pipelines/pipeline-host.js'),
  );
  const stop = () => {
    controller.abort();
    return end;
  };
  atEnd(async () => void (await stop()));
  return {
    reports,
    end,
    pid,
    stop,
    report: async <Type extends PipelineReport['type']>(type: Type) => {
      const of = (wanted: PipelineReport['type']) => reports.find((report) => report.type === wanted);
      const found = await waitFor(() => of(type) ?? of('ended'), 20_000, `the report ${type}`);
      if (found.type !== type) throw new Error(`it ended instead: ${JSON.stringify(found)}`);
      return found as Extract<PipelineReport, { type: Type }>;
    },
    recordings: async () =>
      (await readdir(recordingsDir, { recursive: true }).catch(() => []))
        .filter((name) => name.endsWith('.mp4'))
        .sort()
        .map((name) => join(recordingsDir, name)),
  };
}

const rtsp = (main: string, protocol: 'tcp' | 'udp' = 'tcp'): VideoSource => ({
  kind: 'rtsp',
  protocol,
  main,
});
const oneMount = (mount: Mount, options = {}): Promise<Camera> =>
  startCamera({ mounts: { main: mount }, ...options });

/** A camera with a key frame each second, whose video says nothing of its frame rate. */
async function withoutVui(framesPerSecond: number): Promise<Mount> {
  const file = await encode(10 * framesPerSecond, framesPerSecond, 'tune=zerolatency', framesPerSecond);
  return { file, vui: false };
}

/** The recording, once it holds some seconds. */
async function recordingOf(running: Running, pictures = 20): Promise<string> {
  await running.report('recording');
  const [file = ''] = await running.recordings();
  await waitFor(async () => (await probe(file)).packets.length >= pictures, 20_000, 'pictures in the file');
  return file;
}

/** Even steps from the first picture, a key frame, which is shown at once or not much later: nothing is missing. */
async function expectWhole(file: string, step = 0.1, latestFirst = 0): Promise<number> {
  const { errors, packets } = await probe(file);
  expect(errors).toBe('');
  expect(packets[0]?.key).toBe(true);
  expect(packets[0]?.time).toBeGreaterThanOrEqual(0);
  expect(packets[0]?.time).toBeLessThanOrEqual(latestFirst);
  packets.slice(1).forEach(({ time }, index) => {
    expect(time - (packets[index]?.time ?? 0)).toBeLessThan(step * 1.8);
  });
  expect(await decode(file)).toEqual({ frames: packets.length, errors: '' });
  return packets.length;
}

/** When each of the first pictures of a file is shown: first, fourth, second, third, … */
function shownOrder(packets: Probe['packets']): number[] {
  const times = packets.slice(0, 40).map(({ time }) => time);
  const sorted = [...times].sort((a, b) => a - b);
  return times.map((time) => sorted.indexOf(time));
}

/** Asks for pictures, and goes on asking, as a detector does. */
function watch(bus: Bus, format: FrameFormat = 'gray'): Frame[] {
  const frames: Frame[] = [];
  const end = bus.subscribeFrames('door', format, (frame) =>
    frames.push({ ...frame, data: frame.data.slice() }),
  );
  const ask = () => void bus.request(commands.frames, ['door'], { format }).catch(() => {});
  const timer = setInterval(ask, 500);
  ask();
  atEnd(async () => {
    clearInterval(timer);
    end();
  });
  return frames;
}

/** A main of its own, whose only pipeline records. */
async function startMain() {
  const session: PipelineSession = {
    monitorID: 'door',
    source: { kind: 'test' },
    recordingsDir: join(await temporaryFolder(), 'recordings'),
    alwaysRecord: true,
    videoLength: 3600_000,
    patienceMs: 10_000,
    frames: {},
    bus: nowhere,
    log: { repeatLimit: 5, printDebug: false },
  };
  const script = `import { runPipeline } from ${JSON.stringify(join(project, 'dist/pipelines/run-pipeline.js'))};
      runPipeline(${JSON.stringify(session)}, { signal: new AbortController().signal, onReport: console.log });`;
  const main = startChild(process.execPath, ['--input-type=module', '--eval', script]);
  const [, id = ''] = await main.line(/type: 'recording', file: '(.+)'/);
  const [host = 0] = descendants(main.pid).filter((pid) => commandLine(pid).startsWith(process.execPath));
  return { main, host, recordingsDir: session.recordingsDir, id };
}

test('a camera that answers late is reached by a pipeline that waits longer', patience, async () => {
  const packets = await videoPackets('h264', { frames: 20 });
  // A tenth of 12 s, and of the first two waits of a monitor.
  const lateMs = 1200;
  const camera = await FakeCamera.start({
    answer: (request, usual, connection) => {
      if (request.method !== 'DESCRIBE') return [usual];
      setTimeout(() => void connection.send(usual), lateMs);
      return [];
    },
    play: (connection) => connection.send(...packets.map((data) => ({ channel: 0, data }))),
  });
  const impatient = await start(rtsp(camera.url()), { patienceMs: 1000 });
  expect(await impatient.end).toEqual({
    reason: 'unreachable',
    detail: 'the camera did not answer DESCRIBE within 1 s',
  });
  const patient = await start(rtsp(camera.url()), { patienceMs: 2000 });
  await patient.report('streaming');
  await patient.stop();
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

describe('a pipeline', () => {
  test('writes to the last picture when it is stopped', patience, async () => {
    const camera = await oneMount(testMounts.h264());
    const running = await start(rtsp(camera.url('main')));
    const file = await recordingOf(running, 10);
    const count = async () => (await probe(file)).packets.length;
    const before = await count();
    await waitFor(async () => (await count()) > before, 10_000, 'another fragment');
    // In the middle of the next one, of which nothing is in the file yet, and nothing more will come.
    await new Promise((resolve) => setTimeout(resolve, 500));
    const written = await count();
    camera.freeze();
    await running.stop();
    expect(await expectWhole(file)).toBeGreaterThan(written);
  });

  test('records the audio of a camera too', patience, async () => {
    const camera = await oneMount(testMounts.withAudio);
    const running = await start(rtsp(camera.url('main')));
    const file = await recordingOf(running, 40);
    await running.stop();
    await expectWhole(file);
    const { video, audio } = await tracksOf(file);
    expect(audio.codec).toBe('aac');
    // A frame lasts 64 ms. Both tracks are about as long.
    expect(Math.abs(audio.packets * 0.064 - video.packets * 0.1)).toBeLessThan(0.5);
  });

  test('records H.265, and decodes it for detectors', patience, async () => {
    const { server, bus } = await startTestBus();
    const camera = await oneMount(testMounts.h265);
    const running = await start(rtsp(camera.url('main')), {
      bus: server.address,
      frames: { gray: { rate: 5 } },
    });
    const frames = watch(bus);
    const file = await recordingOf(running);
    await waitFor(() => frames.length >= 5, 20_000, 'pictures');
    expect(frames[0]).toMatchObject({ width: 320, height: 240 });
    await running.stop();
    await expectWhole(file);
    expect((await probe(file)).codec).toBe('hevc');
  });

  test('records B-frames in their order', patience, async () => {
    const path = await encode(300, 20, 'bframes=2 b-adapt=false');
    const camera = await oneMount({ file: path });
    const running = await start(rtsp(camera.url('main')));
    const file = await recordingOf(running, 50);
    await running.stop();
    const { packets } = await probe(file);
    expect(shownOrder(packets)).toEqual(shownOrder((await probe(path)).packets));
    expect((await decode(file)).frames).toBe(packets.length);
  });

  test('records GStreamer’s test picture', patience, async () => {
    const running = await start({ kind: 'test' });
    const file = await recordingOf(running, 30);
    await running.stop();
    await expectWhole(file, 1 / 15);
  });

  test('plays a file at its own speed, and ends with it', patience, async () => {
    const path = await encode(40, 10);
    const running = await start({ kind: 'file', path, loop: true });
    await running.report('streaming');
    const began = Date.now();
    expect(await running.end).toEqual({ reason: 'finished', detail: 'the file has been played' });
    expect(Date.now() - began).toBeGreaterThan(3000);
    const [file = ''] = await running.recordings();
    expect(await expectWhole(file)).toBe(40);
  });

  test('records when it is asked to, with what came before, and is answered', patience, async () => {
    const { server, bus } = await startTestBus();
    const camera = await oneMount(testMounts.h264());
    const running = await start(rtsp(camera.url('main')), { alwaysRecord: false, bus: server.address });
    await running.report('streaming');
    await new Promise((resolve) => setTimeout(resolve, 7000));
    expect(await running.recordings()).toEqual([]);
    const asked = nowUs();
    const until = asked + 2 * second;
    expect(await bus.request(commands.record, ['door'], { until })).toEqual({ ok: true });
    const { file: id } = await running.report('recording');
    await waitFor(
      () => running.reports.some((each) => each.type === 'recording' && each.file === null),
      10_000,
      'its end',
    );
    await running.stop();
    const [file = ''] = await running.recordings();
    expect(file).toContain(id);
    const count = await expectWhole(file);
    const started = Date.parse(`${id?.slice(0, 10)}T${id?.slice(11, 19).replaceAll('-', ':')}Z`) * 1000;
    // The name says whole seconds.
    expect(started).toBeLessThanOrEqual(asked - 5 * second);
    expect(started + second + (count / 10) * second).toBeGreaterThanOrEqual(until);
  });

  test('goes on recording while the bus is gone, and tells its log when it is back', patience, async () => {
    const { server, bus } = await startTestBus();
    const entries: LogEntry[] = [];
    bus.subscribe(logs, ['*', 'recorder', 'door'], (entry) => entries.push(entry));
    const camera = await oneMount(testMounts.h264());
    const running = await start(rtsp(camera.url('main')), { bus: server.address });
    const file = await recordingOf(running);
    await waitFor(() => entries[0], 10_000, 'the first entry');
    const { pid } = server;
    process.kill(pid, 'SIGKILL');
    await waitFor(() => server.pid !== pid, 10_000, 'another server');
    const before = (await probe(file)).packets.length;
    await recordingOf(running, before + 20);
    await waitFor(() => bus.connected, 10_000, 'the connection');
    await running.stop();
    await expectWhole(file);
    await waitFor(() => entries.length >= 2, 10_000, 'the last entry');
    expect(entries.map(({ msg }) => msg.split(':')[0])).toEqual(['starting recording', 'recording saved']);
    expect(entries[0]).toMatchObject({ level: 'info', src: 'recorder', monitorID: 'door' });
  });

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
    const frames = { frames: { gray: { rate: 5 } }, bus: server.address };
    const running = await start({ kind: 'rtsp', protocol: 'tcp', main, sub }, frames);
    watch(bus);
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

test('a pipeline that fails where nobody expected it keeps its credentials to itself', patience, async () => {
  const { server } = await startTestBus();
  const camera = await oneMount(testMounts.h264());
  // No subject of the bus can hold this id, and the error says so.
  const running = await start(rtsp(camera.url('main', 'guard', 's3cret')), {
    monitorID: 'at s3cret',
    bus: server.address,
  });
  const { reason, detail } = await running.end;
  expect(reason).toBe('failed');
  expect(detail).toContain('at ***');
  expect(detail).not.toContain('s3cret');
});

test(
  'what a pipeline logs and reports holds no password, whatever the text was made of',
  patience,
  async () => {
    const { server, bus } = await startTestBus();
    const entries: LogEntry[] = [];
    bus.subscribe(logs, ['*', '*', 'door'], (entry) => entries.push(entry));
    const camera = await oneMount(testMounts.h264());
    const file = join(await temporaryFolder(), 's3cret');
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
  },
);

describe('a pipeline makes pictures', () => {
  test('of the main stream, only while somebody wants them', patience, async () => {
    const { server, bus } = await startTestBus();
    const camera = await oneMount({ file: clip('vtest.mp4') });
    const unwanted: Frame[] = [];
    bus.subscribeFrames('door', 'gray', (frame) => unwanted.push(frame));
    const running = await start(rtsp(camera.url('main')), {
      bus: server.address,
      frames: { gray: { rate: 5 } },
    });
    await recordingOf(running);
    expect(unwanted).toEqual([]);
    const frames = watch(bus);
    await waitFor(() => frames.length >= 10, 20_000, 'pictures');
    expect(frames[0]).toMatchObject({ format: 'gray', width: 320, height: 240, sequence: 0 });
    frames.slice(1).forEach((frame, index) => {
      const before = frames[index] as Frame;
      expect(frame.sequence).toBe(before.sequence + 1);
      expect(frame.timeUs).toBeGreaterThan(before.timeUs);
    });
    const span = ((frames[9]?.timeUs ?? 0) - (frames[0]?.timeUs ?? 0)) / 1e6;
    expect(Math.abs(span - 9 / 5)).toBeLessThan(0.5);
    const late = nowUs() - (frames.at(-1)?.timeUs ?? 0);
    expect(late).toBeGreaterThan(-second / 10);
    expect(late).toBeLessThan(2 * second);
    await running.stop();
    const [file = ''] = await running.recordings();
    await expectWhole(file);
  });

  const unstated = {
    'openh264, 1 a second': async () => testMounts.openh264(1),
    'openh264, 5 a second': async () => testMounts.openh264(5),
    'openh264, 15 a second': async () => testMounts.openh264(15),
    'x264 without VUI, 1 a second': () => withoutVui(1),
    'x264 without VUI, 5 a second': () => withoutVui(5),
    'x264 without VUI, 15 a second': () => withoutVui(15),
  } as const;

  test.each(Object.entries(unstated))(
    'of streams that state no frame rate, main and sub, while both are recorded: %s',
    patience,
    async (name, mount) => {
      const rate = Number(/\d+ a/.exec(name)?.[0].split(' ')[0]);
      const { server, bus } = await startTestBus();
      const camera = await startCamera({ mounts: { main: await mount(), sub: await mount() } });
      const [main, sub] = [camera.url('main'), camera.url('sub')];
      const running = await start(
        { kind: 'rtsp', protocol: 'tcp', main, sub },
        { bus: server.address, frames: { gray: { rate: 2 }, rgb: { rate: 5, main: true } } },
      );
      const [ofSub, ofMain] = [watch(bus, 'gray'), watch(bus, 'rgb')];
      for (const [frames, limit] of [
        [ofSub, 2],
        [ofMain, 5],
      ] as const) {
        await waitFor(() => frames.length >= 6, 20_000, 'pictures');
        const span = ((frames[5]?.timeUs ?? 0) - (frames[0]?.timeUs ?? 0)) / 1e6;
        expect(Math.abs(span - 5 / Math.min(rate, limit))).toBeLessThan(0.6);
      }
      await running.stop();
      const [file = ''] = await running.recordings();
      // Without VUI a picture may be shown after later ones, so the muxer leaves time for that.
      await expectWhole(file, 1 / rate, 2);
      expect(running.reports.some(({ type }) => type === 'trouble')).toBe(false);
    },
  );

  test('of the sub stream, whose loss stops no recording', patience, async () => {
    const { server, bus } = await startTestBus();
    const entries: LogEntry[] = [];
    bus.subscribe(logs, ['*', 'monitor', 'door'], (entry) => entries.push(entry));
    const camera = await oneMount(testMounts.h264());
    const second_ = await startCamera({ mounts: { sub: testMounts.h264(160, 90) } });
    const running = await start(
      { kind: 'rtsp', protocol: 'tcp', main: camera.url('main'), sub: second_.url('sub') },
      { bus: server.address, frames: { gray: { rate: 5 } } },
    );
    const file = await recordingOf(running, 10);
    const frames = watch(bus);
    await waitFor(() => frames.length >= 3, 20_000, 'pictures');
    expect(frames[0]).toMatchObject({ width: 160, height: 90 });

    await second_.kill();
    await waitFor(() => entries[0], 10_000, 'a warning');
    expect(entries[0]?.msg).toBe('sub stream: the camera closed the connection; detectors wait for it');
    await second_.restart();
    const before = frames.length;
    await waitFor(() => frames.length >= before + 3, 30_000, 'pictures again');
    expect(frames.at(-1)?.sequence).toBeLessThan(before);
    await running.stop();
    await expectWhole(file);
    expect(entries.at(-1)?.msg).toBe('sub stream: back');
    const troubles = running.reports.filter(({ type }) => type === 'trouble');
    expect(troubles[0]).toEqual({ type: 'trouble', text: entries[0]?.msg });
    expect(troubles.at(-1)).toEqual({ type: 'trouble', text: null });
  });

  test('in color and in gray at once, each only while it is wanted', patience, async () => {
    const { server, bus } = await startTestBus();
    const camera = await oneMount({ file: clip('vtest.mp4') });
    const running = await start(rtsp(camera.url('main')), {
      bus: server.address,
      frames: { gray: { rate: 5 }, rgb: { rate: 2, main: true } },
    });
    const file = await recordingOf(running, 10);
    const rgb = watch(bus, 'rgb');
    const unwanted: Frame[] = [];
    const end = bus.subscribeFrames('door', 'gray', (frame) => unwanted.push(frame));
    await waitFor(() => rgb.length >= 3, 20_000, 'pictures in color');
    expect(rgb[0]).toMatchObject({ format: 'rgb', width: 640, height: 480 });
    expect(unwanted).toEqual([]);
    end();
    const gray = watch(bus);
    await waitFor(() => gray.length >= 3, 20_000, 'gray pictures');
    expect(gray[0]).toMatchObject({ format: 'gray', width: 320, height: 240 });
    await running.stop();
    await expectWhole(file);
  });

  test('that were never damaged, also when it begins between two key frames', patience, async () => {
    const { server, bus } = await startTestBus();
    // White, with a key frame every 4 s: what is decoded without its key frame is gray.
    const camera = await oneMount({
      launch:
        'videotestsrc is-live=true pattern=white ! video/x-raw,format=I420,width=320,height=240,framerate=10/1' +
        ' ! x264enc tune=zerolatency speed-preset=ultrafast threads=1 key-int-max=40 ! rtph264pay name=pay0 config-interval=-1',
    });
    const running = await start(rtsp(camera.url('main')), {
      bus: server.address,
      frames: { gray: { rate: 0 } },
    });
    const file = await recordingOf(running, 10);
    await waitFor(async () => (await probe(file)).packets.length % 40 >= 15, 20_000, 'the middle of a group');
    const frames = watch(bus);
    await waitFor(() => frames.length >= 10, 20_000, 'pictures');
    for (const { data } of frames) expect(Math.min(...data)).toBeGreaterThan(225);
  });

  test('of nothing that it was not told to', patience, async () => {
    const { server, bus } = await startTestBus();
    const running = await start({ kind: 'test' }, { bus: server.address });
    await running.report('streaming');
    const answer = await waitFor(
      () => bus.request(commands.frames, ['door'], { format: 'gray' }).catch(() => undefined),
      10_000,
      'an answer',
    );
    expect(answer).toEqual({ ok: false, error: 'this monitor has no gray frames' });
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

  test('when it is told to, even if its camera does not answer any more', patience, async () => {
    const camera = await oneMount(testMounts.h264());
    const running = await start(rtsp(camera.url('main')));
    const file = await recordingOf(running);
    camera.freeze();
    const stopped = Date.now();
    expect((await running.stop()).reason).toBe('stopped');
    expect(Date.now() - stopped).toBeLessThan(4000);
    await expectWhole(file);
  });

  test('before it began, when it was told to by then', patience, async () => {
    const controller = new AbortController();
    controller.abort();
    const end = await runPipeline(
      {
        monitorID: 'door',
        source: { kind: 'test' },
        recordingsDir: await temporaryFolder(),
        alwaysRecord: true,
        videoLength: 60_000,
        patienceMs: 10_000,
        frames: {},
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

  test('soon after main, even when it hangs, and leaves nothing behind', patience, async () => {
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

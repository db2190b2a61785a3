import { describe, expect, test } from 'vitest';
import { nowUs } from '../../bus/base/time.ts';
import type { Frame } from '../../bus/frames.ts';
import type { LogEntry } from '../../bus/messages.ts';
import type { UnitPacket } from '../../bus/packets/unit-packet.ts';
import { commands, logs, unitSubject } from '../../bus/subjects.ts';
import { startTestBus } from '../support/bus.ts';
import { type Mount, startCamera, testMounts } from '../support/camera.ts';
import { clip } from '../support/clips.ts';
import { startDetectorHost } from '../support/detector-host.ts';
import { encode } from '../support/encoded.ts';
import {
  expectWhole,
  oneMount,
  patience,
  recordingOf,
  rtsp,
  second,
  start,
  watch,
} from '../support/pipeline.ts';
import { picturesIn } from '../support/probe.ts';
import { nameTime } from '../support/recordings.ts';
import { waitFor } from '../support/wait.ts';

/** A bus, and the process that decodes. */
async function startTestBusWithFrames() {
  const test = await startTestBus();
  await startDetectorHost(test.server.address);
  return test;
}

/** A camera with a key frame each second, whose video says nothing of its frame rate. */
async function withoutVui(framesPerSecond: number): Promise<Mount> {
  const file = await encode(10 * framesPerSecond, framesPerSecond, 'tune=zerolatency', framesPerSecond);
  return { file, vui: false };
}

describe('frames are made', () => {
  test('of the main stream, only while somebody wants them', patience, async () => {
    const { server, bus } = await startTestBusWithFrames();
    const camera = await oneMount({ file: clip('vtest.mp4') });
    const unwanted: Frame[] = [];
    bus.subscribeFrames('door', 'gray', (frame) => unwanted.push(frame));
    const running = await start(rtsp(camera.url('main')), { bus: server.address });
    await recordingOf(running);
    expect(unwanted).toEqual([]);
    const frames = watch(bus);
    // Somebody else gets the same frames, which are published once.
    watch(bus, { rate: 2 });
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
    const other = { format: 'gray', rate: 5, stream: 'sub' } as const;
    expect(await bus.request(commands.frames, ['door'], other)).toEqual({
      ...{ ok: false, error: 'its gray frames are published of its main stream' },
    });
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
      const { server, bus } = await startTestBusWithFrames();
      const both = await mount();
      const camera = await startCamera({ mounts: { main: both, sub: both } });
      const [main, sub] = [camera.url('main'), camera.url('sub')];
      const running = await start(
        { kind: 'rtsp', protocol: 'tcp', main, sub },
        { bus: server.address, isSubDetected: true },
      );
      const ofSub = watch(bus, { rate: 2, stream: 'sub' });
      const ofMain = watch(bus, { format: 'rgb' });
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
    const { server, bus } = await startTestBusWithFrames();
    const entries: LogEntry[] = [];
    bus.subscribe(logs, ['*', 'monitor', 'door'], (entry) => entries.push(entry));
    const camera = await oneMount(testMounts.h264());
    const second_ = await startCamera({ mounts: { sub: testMounts.h264(160, 90) } });
    const running = await start(
      { kind: 'rtsp', protocol: 'tcp', main: camera.url('main'), sub: second_.url('sub') },
      { bus: server.address, isSubDetected: true },
    );
    const file = await recordingOf(running, 10);
    const frames = watch(bus, { stream: 'sub' });
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
    const { server, bus } = await startTestBusWithFrames();
    const camera = await oneMount({ file: clip('vtest.mp4') });
    const running = await start(rtsp(camera.url('main')), { bus: server.address });
    const file = await recordingOf(running, 10);
    const rgb = watch(bus, { format: 'rgb', rate: 2 });
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

  test(
    'that were never damaged, and at once, also when it begins between two key frames',
    patience,
    async () => {
      const { server, bus } = await startTestBusWithFrames();
      // White, with a key frame every 8 s: what is decoded without its key frame is gray.
      const camera = await oneMount({
        launch:
          'videotestsrc is-live=true pattern=white ! video/x-raw,format=I420,width=320,height=240,framerate=10/1' +
          ' ! x264enc tune=zerolatency speed-preset=ultrafast threads=1 key-int-max=80 ! rtph264pay name=pay0 config-interval=-1',
      });
      const running = await start(rtsp(camera.url('main')), { bus: server.address });
      const file = await recordingOf(running, 10);
      await waitFor(async () => (await picturesIn(file)) >= 15, 20_000, 'the middle of a group');
      const frames = watch(bus, { rate: 0 });
      await waitFor(() => frames.length >= 10, 20_000, 'pictures');
      const nextKeyFrameUs = nameTime(file) * 1000 + 8 * second;
      expect(frames[0]?.timeUs).toBeLessThan(nextKeyFrameUs);
      for (const { data } of frames) expect(Math.min(...data)).toBeGreaterThan(225);
    },
  );

  test(
    'of key frames that come over the bus alone, where they are as many as frames are wanted',
    patience,
    async () => {
      const { server, bus } = await startTestBusWithFrames();
      const camera = await oneMount({ file: clip('vtest.mp4') });
      const running = await start(rtsp(camera.url('main')), { bus: server.address });
      const file = await recordingOf(running, 10);
      const messages: (readonly UnitPacket[])[] = [];
      bus.subscribeUnits(unitSubject('door', 'main'), (packets) => messages.push(packets));
      const frames = watch(bus, { rate: 0.5 });
      const isAlone = (packets: readonly UnitPacket[]) =>
        packets.length === 1 && packets[0]?.keyFrame === true && packets[0].passed > 0;
      await waitFor(() => messages.slice(-3).filter(isAlone).length === 3, 30_000, 'key frames alone');
      const last = messages.slice(-3).flat();
      for (const { sizes, passed } of last) expect(sizes).toHaveLength(passed);
      const before = frames.length;
      await waitFor(() => frames.length >= before + 2, 20_000, 'frames of them');
      expect(messages.slice(-4).every(isAlone)).toBe(true);
      // Somebody who needs more gets it, without waiting for a key frame.
      const all = watch(bus, { rate: 5 });
      await waitFor(() => all.length >= 10, 20_000, 'more frames');
      expect(messages.at(-1)?.every(({ passed }) => passed === 0)).toBe(true);
      await running.stop();
      await expectWhole(file);
    },
  );

  test('of no stream that there is not', patience, async () => {
    const { server, bus } = await startTestBus();
    const running = await start({ kind: 'test' }, { bus: server.address });
    await running.report('streaming');
    const answer = await waitFor(
      () =>
        bus
          .request(commands.units, ['door'], {
            ...({ stream: 'sub', begin: true, rates: [] } as const),
            ...{ keys: null, again: null, trouble: null },
          })
          .catch(() => undefined),
      10_000,
      'an answer',
    );
    expect(answer).toEqual({ ok: false, error: 'this monitor has no sub stream' });
  });
});

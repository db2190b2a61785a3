import { describe, expect, test } from 'vitest';
import { nowUs } from '../../bus/base/time.ts';
import type { LogEntry } from '../../bus/messages.ts';
import { commands, logs } from '../../bus/subjects.ts';
import { startTestBus } from '../support/bus.ts';
import { startCamera, testMounts } from '../support/camera.ts';
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
import { decode, type Probe, picturesIn, probe, tracksOf } from '../support/probe.ts';
import { waitFor } from '../support/wait.ts';

/** When each of the first pictures of a file is shown: first, fourth, second, third, … */
function shownOrder(packets: Probe['packets']): number[] {
  const times = packets.slice(0, 40).map(({ time }) => time);
  const sorted = [...times].sort((a, b) => a - b);
  return times.map((time) => sorted.indexOf(time));
}

describe('a pipeline', () => {
  test('writes to the last picture when it is stopped', patience, async () => {
    const camera = await oneMount(testMounts.h264());
    const running = await start(rtsp(camera.url('main')));
    const file = await recordingOf(running, 10);
    const count = async () => (await probe(file)).packets.length;
    const before = await count();
    await waitFor(async () => (await picturesIn(file)) > before, 10_000, 'another fragment');
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
    await startDetectorHost(server.address);
    const running = await start(rtsp(camera.url('main')), { bus: server.address });
    const frames = watch(bus);
    const file = await recordingOf(running);
    await waitFor(() => frames.length >= 5, 20_000, 'pictures');
    expect(frames[0]).toMatchObject({ width: 320, height: 240 });
    await running.stop();
    await expectWhole(file);
    expect((await probe(file)).codec).toBe('hevc');
  });

  test('records B-frames in their order', patience, async () => {
    const paths = {
      h264: await encode(120, 20, 'bframes=2 b-adapt=false'),
      h265: await encode(120, 20, 'speed-preset=ultrafast option-string=bframes=2:b-adapt=0', 10, 'h265'),
    };
    const camera = await startCamera({ mounts: { h264: { file: paths.h264 }, h265: { file: paths.h265 } } });
    const record = async (codec: keyof typeof paths) => {
      const running = await start(rtsp(camera.url(codec)));
      const file = await recordingOf(running, 50);
      await running.stop();
      const { packets } = await probe(file);
      const order = shownOrder(packets);
      expect(order).not.toEqual([...order].sort((a, b) => a - b));
      expect(order).toEqual(shownOrder((await probe(paths[codec])).packets));
      expect((await decode(file)).frames).toBe(packets.length);
    };
    await Promise.all([record('h264'), record('h265')]);
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

  test(
    'goes on recording while the bus is unreachable, and delivers its log when it is back',
    patience,
    async () => {
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
    },
  );
});

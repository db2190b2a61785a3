import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { startCamera, testMounts } from '../support/camera.ts';
import { clip } from '../support/clips.ts';
import { temporaryFolder } from '../support/folder.ts';
import { isAlive } from '../support/processes.ts';
import { view } from '../support/rtsp-viewer.ts';

const run = promisify(execFile);

/** What ffprobe sees: the codecs, and the times of the packets of the first few seconds. */
async function probe(url: string, seconds = 1, transport = 'tcp') {
  const { stdout } = await run('ffprobe', [
    ...['-loglevel', 'error', '-rtsp_transport', transport, '-analyzeduration', '500000'],
    ...['-read_intervals', `%+${seconds}`],
    ...['-show_entries', 'stream=codec_name:packet=dts_time,stream_index', '-of', 'json', url],
  ]);
  const seen = JSON.parse(stdout) as {
    streams: { codec_name: string }[];
    packets: { stream_index: number; dts_time: string }[];
  };
  return {
    codecs: seen.streams.map((stream) => stream.codec_name),
    times: seen.packets
      .filter((packet) => packet.stream_index === 0)
      .map((packet) => Number(packet.dts_time))
      .filter(Number.isFinite),
  };
}

/** The frame rate that stands in an H.264 stream itself, 0/1 where none does. */
async function statedRate(url: string): Promise<string | undefined> {
  const line = `rtspsrc protocols=tcp location=${url} ! rtph264depay ! h264parse ! identity eos-after=2 silent=true ! fakesink`;
  const { stdout } = await run('gst-launch-1.0', ['-v', ...line.split(' ')]);
  const caps = /h264parse0\.GstPad:src: caps = (.*)/.exec(stdout)?.[1] ?? '';
  return /framerate=\(fraction\)(\d+\/\d+)/.exec(caps)?.[1] ?? '0/1';
}

describe.concurrent('the test camera', () => {
  test('serves a file and a test picture side by side, over TCP and UDP', async () => {
    const camera = await startCamera({
      mounts: {
        main: { file: clip('vtest.mp4') },
        sub: { file: clip('vtest-sub.mp4') },
        test: testMounts.h264(),
      },
    });
    for (const mount of ['main', 'sub', 'test']) {
      expect((await probe(camera.url(mount))).codecs).toEqual(['h264']);
    }
    expect((await probe(camera.url('main'), 1, 'udp')).codecs).toEqual(['h264']);
  });

  test('goes on with even times where its file begins again', async () => {
    const file = join(await temporaryFolder(), 'short.mp4');
    const cut = ['-nostdin', '-loglevel', 'error', '-t', '1', '-i', clip('vtest.mp4'), '-c', 'copy', file];
    await run('ffmpeg', cut);
    const camera = await startCamera({ mounts: { main: { file } } });
    const { times } = await probe(camera.url('main'), 3);
    expect(times.length).toBeGreaterThan(15);
    const steps = times.slice(1).map((time, index) => time - (times[index] ?? 0));
    for (const step of steps) expect(step).toBeCloseTo(0.1, 2);
  });

  test('shows a file to a second client where the first one is', async () => {
    const camera = await startCamera({ mounts: { main: { file: clip('vtest.mp4') } } });
    const [first, second] = [await view(camera.url('main')), await view(camera.url('main'))];
    await first.received(1);
    await second.received(20);
    const times = (viewer: typeof first) => new Set(viewer.packets[0]?.map(({ timestamp }) => timestamp));
    for (const time of times(second)) expect(times(first)).toContain(time);
  });

  test.each([
    ['h265', ['hevc']],
    ['mjpeg', ['mjpeg']],
    ['vp8', ['vp8']],
    ['withAudio', ['h264', 'aac']],
    ['audioOnly', ['pcm_alaw']],
  ] as const)('serves %s', async (name, codecs) => {
    const camera = await startCamera({ mounts: { it: testMounts[name] } });
    expect((await probe(camera.url('it'))).codecs).toEqual(codecs);
  });

  test('serves H.264 that states its frame rate, and H.264 that states none', async () => {
    const file = clip('tree.mp4');
    const camera = await startCamera({
      mounts: { stated: { file }, stripped: { file, vui: false }, openh264: testMounts.openh264(5) },
    });
    expect(await statedRate(camera.url('stated'))).toBe('15/1');
    for (const mount of ['stripped', 'openh264']) {
      expect(await statedRate(camera.url(mount))).toBe('0/1');
      expect((await probe(camera.url(mount))).codecs).toEqual(['h264']);
    }
  });

  test.each(['basic', 'digest'] as const)('asks for a user and password (%s)', async (method) => {
    const mounts = { it: testMounts.h264() };
    const camera = await startCamera({ mounts, user: 'guard', password: 'p@ss:/1', method });
    expect((await probe(camera.url('it'))).codecs).toEqual(['h264']);
    await expect(probe(camera.url('it', 'guard', 'wrong'))).rejects.toThrow('401');
    await expect(probe(camera.url('it', undefined))).rejects.toThrow('401');
  });

  test('comes back on its port after it was killed', async () => {
    const camera = await startCamera({ mounts: { it: testMounts.h264() } });
    await probe(camera.url('it'));
    await camera.kill();
    expect(isAlive(camera.pid)).toBe(false);
    await expect(probe(camera.url('it'))).rejects.toThrow('refused');
    const again = await camera.restart();
    expect(again.url('it')).toBe(camera.url('it'));
    expect((await probe(again.url('it'))).codecs).toEqual(['h264']);
  });

  test('sends nothing while it is frozen, and goes on when it is thawed', async () => {
    const camera = await startCamera({ mounts: { it: testMounts.h264() } });
    camera.freeze();
    let answered = false;
    const answer = probe(camera.url('it')).then((seen) => {
      answered = true;
      return seen;
    });
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(answered).toBe(false);
    camera.thaw();
    expect((await answer).codecs).toEqual(['h264']);
  });
});

import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Logger } from '../../bus/logging/logger.ts';
import type { LogEntry } from '../../bus/messages.ts';
import type { VideoConfig } from '../../pipelines/codecs/nal-unit.ts';
import type { VideoUnit } from '../../pipelines/media/unit.ts';
import type { PipelineEnd } from '../../pipelines/protocol/pipeline-protocol.ts';
import { RtspSource } from '../../pipelines/sources/rtsp-source.ts';
import type { StreamHandlers, VideoInput } from '../../pipelines/sources/video-input.ts';
import { StreamConnection } from '../../pipelines/stream-connection.ts';
import { FakeCamera, type FakeConnection, videoAndAudio } from '../support/fake-camera.ts';
import { video } from '../support/fake-video.ts';
import { byPicture } from '../support/paced-camera.ts';
import { videoPackets } from '../support/rtp.ts';
import { waitFor } from '../support/wait.ts';

const minuteMs = 60_000;
const log = new Logger(() => {}).source('monitor');
const config: VideoConfig = {
  ...({ codec: 'h264', width: 320, height: 240, parameterSets: [] } as const),
  record: Buffer.from('0142c01fffe100', 'hex'),
};

/** An input that delivers what the test says. */
class PlayedInput implements VideoInput {
  handlers: StreamHandlers | undefined;
  end: (end: PipelineEnd) => void = () => {};

  play(handlers: StreamHandlers): Promise<PipelineEnd> {
    this.handlers = handlers;
    return new Promise((resolve) => {
      this.end = resolve;
    });
  }
}

function connect(input: VideoInput) {
  const troubles: (string | null)[] = [];
  const connection = new StreamConnection({
    ...{ input, recording: undefined, log, monitorID: 'door' },
    onUnits: () => {},
    onLive: () => {},
    onTrouble: (text) => troubles.push(text),
  });
  return { connection, troubles };
}

describe('a connection', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  test('waits for as long as its input does, and from the first packet on a minute for a picture', async () => {
    const input = new PlayedInput();
    const { connection, troubles } = connect(input);
    const ended = vi.fn();
    void connection.play(() => {}).then(ended);
    await vi.advanceTimersByTimeAsync(10 * minuteMs);
    expect(troubles).toEqual([]);
    expect(ended).not.toHaveBeenCalled();
    input.handlers?.onBegin?.();
    await vi.advanceTimersByTimeAsync(minuteMs - 1);
    expect(ended).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1);
    expect(ended).toHaveBeenCalledWith({
      ...{ reason: 'broken', detail: 'what comes is no video: no picture for 60 s' },
    });
    await connection.finish();
    expect(troubles.at(-1) ?? null).toBeNull();
  });

  test('goes on without a key frame for as long as pictures come, and says what begins with the first one', async () => {
    const input = new PlayedInput();
    const { connection, troubles } = connect(input);
    const [ended, streaming] = [vi.fn(), vi.fn()];
    void connection.play(streaming).then(ended);
    input.handlers?.onBegin?.();
    const push = (second: number, keyFrame: boolean) =>
      input.handlers?.onVideo({
        ...{ config, time: second * 90_000, arrivedMs: performance.now(), keyFrame, continues: false },
        data: Buffer.from('picture'),
      });
    for (let second = 0; second < 90; second += 1) {
      push(second, false);
      await vi.advanceTimersByTimeAsync(1000);
    }
    expect(troubles).toEqual([
      'the camera has sent no key frame for 60 s; recording and detection begin with the first one',
    ]);
    expect(streaming).not.toHaveBeenCalled();
    push(90, true);
    expect(troubles.at(-1)).toBeNull();
    expect(streaming).toHaveBeenCalledTimes(1);
    expect(ended).not.toHaveBeenCalled();
    connection.end({ reason: 'stopped', detail: '' });
    await vi.advanceTimersByTimeAsync(0);
    await connection.finish();
  });
});

test('a camera has begun with its first packet', async () => {
  const camera = await FakeCamera.start({ play: (connection) => connection.send(...video(3)) });
  const source = new RtspSource({
    ...{ url: camera.url(), transport: 'tcp', audio: false, patienceMs: 5000, log, monitorID: 'door' },
  });
  let begun = 0;
  const played = source.play({
    onBegin: () => {
      begun += 1;
    },
    ...{ onVideo: () => {}, onAudio: () => {}, onJump: () => {} },
  });
  await waitFor(() => begun > 0, 5000, 'the first packet');
  source.end({ reason: 'stopped', detail: '' });
  await played;
  expect(begun).toBe(1);
});

test.each([404, 403, 500])('audio that a camera refuses with %i is one debug entry', async (status) => {
  const packets = await videoPackets('h264', { frames: 10 });
  const camera = await FakeCamera.start({
    sdp: videoAndAudio,
    answer: ({ method, url }, usual) =>
      method === 'SETUP' && url.endsWith('trackID=1') ? [{ ...usual, status }] : [usual],
    play: async (connection) => {
      await connection.send(...packets.map((data) => ({ channel: 0, data })));
      connection.socket.end();
    },
  });
  const entries: LogEntry[] = [];
  const source = new RtspSource({
    ...{ url: camera.url(), transport: 'tcp', audio: true, patienceMs: 5000, monitorID: 'door' },
    log: new Logger((entry) => entries.push(entry)).source('monitor'),
  });
  const pictures: VideoUnit[] = [];
  const onVideo = (unit: VideoUnit) => void pictures.push(unit);
  const end = await source.play({ onVideo, onAudio: () => {}, onJump: () => {} });
  expect(end.reason).toBe('lost');
  expect(pictures).toHaveLength(10);
  expect(entries.filter(({ level }) => level !== 'debug')).toEqual([]);
  expect(entries.map(({ msg }) => msg).filter((msg) => msg.startsWith('audio'))).toEqual([
    expect.stringMatching(/^audio: the camera .*; recording without it$/),
  ]);
});

test('what a camera has sent is read before its stream is stopped', async () => {
  const pictures = byPicture(await videoPackets('h264', { frames: 20 }));
  let connection: FakeConnection | undefined;
  const send = async (from: number, to: number) => {
    const packets = pictures.slice(from, to).flat();
    await connection?.send(...packets.map((data) => ({ channel: 0, data })));
  };
  const camera = await FakeCamera.start({
    play: (opened) => {
      connection = opened;
      return send(0, 10);
    },
  });
  const source = new RtspSource({
    ...{ url: camera.url(), transport: 'tcp', audio: false, patienceMs: 5000, log, monitorID: 'door' },
  });
  let count = 0;
  const onVideo = () => {
    count += 1;
  };
  const played = source.play({ onVideo, onAudio: () => {}, onJump: () => {} });
  await waitFor(() => count >= 9, 5000, 'the first pictures');
  source.setPrompt(false);
  const before = count;
  await send(10, 11);
  await waitFor(() => count > before, 5000, 'one more');
  // It reads no more for now.
  await send(11, 20);
  source.end({ reason: 'stopped', detail: '' });
  await played;
  expect(count).toBe(20);
});

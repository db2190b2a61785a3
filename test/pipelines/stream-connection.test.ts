import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Logger } from '../../bus/logging/logger.ts';
import type { PipelineEnd } from '../../pipelines/protocol/pipeline-protocol.ts';
import { RtspSource } from '../../pipelines/sources/rtsp-source.ts';
import type { StreamHandlers, VideoInput } from '../../pipelines/sources/video-input.ts';
import { StreamConnection } from '../../pipelines/stream-connection.ts';
import { FakeCamera, type FakeConnection } from '../support/fake-camera.ts';
import { video } from '../support/fake-video.ts';
import { byPicture } from '../support/paced-camera.ts';
import { videoPackets } from '../support/rtp.ts';
import { waitFor } from '../support/wait.ts';

const minuteMs = 60_000;
const log = new Logger(() => {}).source('monitor');

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
    ...{ input, recording: undefined, rates: [], log, monitorID: 'door' },
    onFrame: () => {},
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

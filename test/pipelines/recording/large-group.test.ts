import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { nowUs } from '../../../bus/base/time.ts';
import { Logger } from '../../../bus/logging/logger.ts';
import type { LogEntry } from '../../../bus/messages.ts';
import { RtspSource } from '../../../pipelines/sources/rtsp-source.ts';
import type { VideoInput } from '../../../pipelines/sources/video-input.ts';
import { StreamConnection } from '../../../pipelines/stream-connection.ts';
import { silentLogger } from '../../support/bus.ts';
import { FakeCamera } from '../../support/fake-camera.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { isSlice, nalPictures } from '../../support/nal-packets.ts';
import { decode } from '../../support/probe.ts';
import { recordingsIn } from '../../support/recordings.ts';
import { videoPackets } from '../../support/rtp.ts';
import { writeRtp } from '../../support/rtp-writer.ts';

const [rate, count, nextKeyFrame] = [20, 40, 30];
/** By then more has come since the first key frame than is held, however it was divided into fragments. */
const askedAt = 27;
/** Beside each picture of the first group comes 2.6 MB of messages (SEI): more than 48 MB in a second. */
const message = Buffer.alloc(60_000, 0x55);
message[0] = 6;
const messages = Array.from({ length: 44 }, () => message);

async function startHeavyCamera(): Promise<FakeCamera> {
  const options = { frames: count, rate, keyFrameEvery: nextKeyFrame, payloader: 'mtu=65000' };
  const pictures = nalPictures(await videoPackets('h264', options));
  return FakeCamera.start({
    play: async (connection) => {
      let sequence = 0;
      for (const [n, { nals, timestamp }] of pictures.entries()) {
        const isHeavy = n > 0 && n < nextKeyFrame;
        const ahead = nals.filter((nal) => !isSlice('h264', nal));
        const slices = nals.filter((nal) => isSlice('h264', nal));
        const payloads = [...ahead, ...(isHeavy ? messages : []), ...slices];
        const packets = payloads.map((payload) => writeRtp({ sequence: sequence++, timestamp, payload }));
        await connection.send(...packets.map((data) => ({ channel: 0, data })));
        await pause(1000 / rate);
      }
    },
  });
}

test('an event in a group that is too large to be held is recorded from the next key frame on, and the log says what is missing', async () => {
  const camera = await startHeavyCamera();
  const recordingsDir = join(await temporaryFolder(), 'recordings');
  const entries: LogEntry[] = [];
  const troubles: (string | null)[] = [];
  const log = silentLogger().source('monitor');
  const source = new RtspSource({
    ...{ url: camera.url(), transport: 'tcp', audio: false, patienceMs: 5000, log, monitorID: 'door' },
  });
  let came = 0;
  const input: VideoInput = {
    play: (handlers) =>
      source.play({
        ...handlers,
        onVideo: (unit) => {
          handlers.onVideo(unit);
          came += 1;
          if (came === askedAt) connection.recordUntil(nowUs() + 60_000_000);
          // The last one is complete when the stream ends.
          if (came === count - 1) source.end({ reason: 'stopped', detail: '' });
        },
      }),
    setPrompt: (isPrompt) => source.setPrompt(isPrompt),
    end: (end) => source.end(end),
  };
  const connection = new StreamConnection({
    ...{ input, log, monitorID: 'door', onUnits: () => {}, onLive: () => {} },
    recording: {
      ...{
        recordingsDir,
        monitorID: 'door',
        stream: 'main',
        alwaysRecord: false,
        videoLength: 3600_000,
        eventsLateMs: 2000,
      },
      log: new Logger((entry) => entries.push(entry)).source('recorder'),
      ...{ onReport: () => {}, onRecording: () => {} },
    },
    onTrouble: (text) => troubles.push(text),
  });
  await connection.play(() => {});
  await connection.finish();

  const why = 'cannot record: the last key frame is too long ago, recording begins with the next one';
  expect(entries.map(({ level, msg }) => `${level}: ${msg}`)).toEqual([
    `warning: ${why}`,
    expect.stringMatching(/^info: starting recording: /),
    expect.stringMatching(/^warning: recording again, \d\.\d s were lost$/),
    expect.stringMatching(/^info: recording saved: /),
  ]);
  expect(troubles).toEqual([why, null]);
  const [file = '', ...others] = await recordingsIn(recordingsDir);
  expect(others).toEqual([]);
  expect(await decode(file)).toEqual({ frames: count - nextKeyFrame, errors: '' });
});

import { describe, expect, test } from 'vitest';
import { parseAudioConfig } from '../../../pipelines/codecs/aac.ts';
import type { MediaPacket } from '../../../pipelines/depayload/media-packet.ts';
import { parseSdp } from '../../../pipelines/rtsp/protocol/sdp.ts';
import { chooseAudio } from '../../../pipelines/sources/track-choice.ts';

const tracksOf = (...lines: string[]) =>
  parseSdp(['v=0', 'm=video 0 RTP/AVP 96', 'a=rtpmap:96 H264/90000', ...lines, ''].join('\r\n')).tracks;

/** What would be recorded of an announced track, and what it is made of. */
function recorded(...lines: string[]) {
  const choice = chooseAudio(tracksOf(...lines));
  if (!choice) return undefined;
  const { codec, clockRate } = choice.track;
  const { raw, config } = choice.format;
  return { codec, clockRate, raw, rate: config.sampleRate, channels: config.channels };
}

const packet = (payload: readonly number[]): MediaPacket => ({
  data: Buffer.from([...Buffer.alloc(12), ...payload, 0, 0]),
  payloadBegin: 12,
  payloadEnd: 12 + payload.length,
  ...{ marker: false, timestamp: 4711, arrivedMs: 1, lostBefore: 0 },
});

describe('audio', () => {
  test.each([
    [0, 'PCMU', 'mulaw', 8000, 1],
    [8, 'PCMA', 'alaw', 8000, 1],
    [10, 'L16', 'l16', 44_100, 2],
    [11, 'L16', 'l16', 44_100, 1],
  ] as const)(
    'of the fixed payload type %d needs no rtpmap: %s',
    (type, codec, raw, sampleRate, channels) => {
      expect(recorded(`m=audio 0 RTP/AVP ${type}`)).toEqual({
        ...{ codec, clockRate: sampleRate, rate: sampleRate, channels },
        raw: { codec: raw, sampleRate, channels },
      });
    },
  );

  test('of G.722 has twice the rate of its clock', () => {
    expect(recorded('m=audio 0 RTP/AVP 9')).toMatchObject({ clockRate: 8000, rate: 16_000 });
  });

  test.each([
    ['PCMA/8000', 8000, 1],
    ['pcmu/16000', 16_000, 1],
    ['PCMA/8000/2', 8000, 2],
    ['L16/48000/6', 48_000, 2],
    ['L16/10000', 48_000, 1],
    ['G726-32/8000', 8000, 1],
    ['opus/48000/2', 48_000, 1],
    ['MPA/90000', 48_000, 2],
  ])('that is announced as %s is recorded', (format, rate, channels) => {
    expect(recorded('m=audio 0 RTP/AVP 97', `a=rtpmap:97 ${format}`)).toMatchObject({ rate, channels });
  });

  test('of Opus has two channels where the description says so', () => {
    const lines = ['m=audio 0 RTP/AVP 97', 'a=rtpmap:97 opus/48000/2', 'a=fmtp:97 sprop-stereo=1'];
    expect(recorded(...lines)).toMatchObject({ channels: 2, raw: { channels: 2 } });
  });

  test.each(['speex/8000', 'PCMA/0', 'PCMA/999999', 'L16/48000/99', 'MPEG4-GENERIC/16000', '!/8000'])(
    'that is announced as %s is not recorded',
    (format) => {
      expect(recorded('m=audio 0 RTP/AVP 97', `a=rtpmap:97 ${format}`)?.codec).toBe(
        format === 'PCMA/0' ? 'PCMA' : undefined,
      );
    },
  );

  test.each([
    [3, 'GSM'],
    [4, 'G723'],
    [18, 'G729'],
    [77, 'UNKNOWN'],
  ])('of the fixed payload type %d is named for the log: %s', (type, codec) => {
    const tracks = tracksOf(`m=audio 0 RTP/AVP ${type}`);
    expect(tracks[1]?.codec).toBe(codec);
    expect(chooseAudio(tracks)).toBeUndefined();
  });

  test('is chosen as AAC where the camera has that too', () => {
    const aac = ['m=audio 0 RTP/AVP 98', 'a=rtpmap:98 MPEG4-GENERIC/16000', 'a=fmtp:98 config=1408'];
    expect(recorded('m=audio 0 RTP/AVP 0', ...aac)).toEqual({
      ...{ codec: 'AAC', clockRate: 16_000, raw: undefined, rate: 16_000, channels: 1 },
    });
  });

  test('in packets is all of the payload, after its header', () => {
    const payloadOf = (format: string, bytes: readonly number[]) =>
      chooseAudio(tracksOf('m=audio 0 RTP/AVP 97', `a=rtpmap:97 ${format}`))
        ?.format.payload.push(packet(bytes))
        .map(({ data, timestamp }) => [[...data], timestamp]);
    expect(payloadOf('PCMA/8000', [1, 2, 3])).toEqual([[[1, 2, 3], 4711]]);
    expect(payloadOf('PCMA/8000', [])).toEqual([]);
    expect(payloadOf('MPA/90000', [0, 0, 0, 0, 255, 251])).toEqual([[[255, 251], 4711]]);
    expect(payloadOf('MPA/90000', [0, 0])).toEqual([]);
    // Of two samples in a byte RFC 3551 has the first in the low half, AAL2 in the high one.
    expect(payloadOf('G726-32/8000', [0x1f, 0x20])).toEqual([[[0xf1, 0x02], 4711]]);
    expect(payloadOf('AAL2-G726-32/8000', [0x1f])).toEqual([[[0x1f], 4711]]);
  });

  test('has a header that decoders read as it was meant', () => {
    for (const [format, rate, channels] of [
      ['PCMA/8000', 8000, 1],
      ['L16/44100/2', 44_100, 2],
    ] as const) {
      const lines = ['m=audio 0 RTP/AVP 97', `a=rtpmap:97 ${format}`];
      const { specificConfig } = chooseAudio(tracksOf(...lines))?.format.config ?? {};
      expect(parseAudioConfig(specificConfig ?? Buffer.alloc(0))).toMatchObject({
        ...{ sampleRate: rate, channels, frameTicks: 1024 },
      });
    }
  });
});

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { RtspError } from '../../../../pipelines/rtsp/protocol/rtsp-error.ts';
import { WireReader } from '../../../../pipelines/rtsp/protocol/wire-reader.ts';
import { encode, type FakeStyle } from '../../../support/fake-camera.ts';
import { writeRtp } from '../../../support/rtp-writer.ts';

interface Seen {
  frames: { channel: number; data: Buffer }[];
  messages: {
    status: number | undefined;
    method: string | undefined;
    body: string;
    cseq: string | undefined;
  }[];
}

function read(chunks: Iterable<Buffer>, channels = [0, 1]): Seen {
  const seen: Seen = { frames: [], messages: [] };
  const reader = new WireReader(new Set(channels), {
    onFrame: (channel, data) => seen.frames.push({ channel, data }),
    onMessage: ({ status, method, body, headers }) =>
      seen.messages.push({ status, method, body: body.toString(), cseq: headers.get('cseq')?.[0] }),
  });
  for (const chunk of chunks) reader.feed(chunk);
  return seen;
}

function* split(data: Buffer, sizes: readonly number[]): Generator<Buffer> {
  let at = 0;
  for (let index = 0; at < data.length; index++) {
    const size = sizes[index % sizes.length] ?? 1;
    yield data.subarray(at, at + size);
    at += size;
  }
}

const packet = fc
  .record({
    channel: fc.constantFrom(0, 1),
    payload: fc.uint8Array({ maxLength: 3000 }),
    sequence: fc.nat(65_535),
  })
  .map(({ channel, payload, sequence }) => ({
    channel,
    data: writeRtp({ sequence, timestamp: 0, payload }),
  }));
const answer = fc
  .record({ cseq: fc.nat(1000), body: fc.option(fc.string({ maxLength: 500 }), { nil: undefined }) })
  .map(({ cseq, body }) => ({
    status: 200,
    headers: [
      ['CSeq', String(cseq)],
      ['X-Long', 'x'.repeat(cseq)],
    ] as [string, string][],
    ...(body !== undefined && { body }),
  }));
const style: fc.Arbitrary<FakeStyle> = fc.record(
  {
    newline: fc.constantFrom('\r\n', '\n'),
    headerCase: fc.constantFrom('lower', 'upper'),
    fold: fc.boolean(),
  },
  { requiredKeys: [] },
);
/** Nothing that looks like the beginning of a message or of a packet: no reader could tell that from one. */
const noise = fc
  .uint8Array({ maxLength: 200 })
  .map((data) => Buffer.from(data))
  .filter((data) => !/RTSP|HTTP|[A-Z]{4,}|\$...[\x80-\xbf]/s.test(data.toString('latin1')));

describe('what a camera sends over TCP', () => {
  test('is read however it is cut and whatever is between', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(noise, fc.oneof(packet, answer)), { maxLength: 12 }),
        style,
        fc.array(fc.integer({ min: 1, max: 4000 }), { minLength: 1, maxLength: 10 }),
        (parts, how, sizes) => {
          const items = parts.map(([, item]) => item);
          const bytes = Buffer.concat(parts.flatMap(([before, item]) => [before, encode(item, how)]));
          const seen = read(split(bytes, sizes));
          expect(seen.frames.map(({ channel, data }) => ({ channel, data: Buffer.from(data) }))).toEqual(
            items.filter((item) => 'channel' in item),
          );
          expect(seen.messages.map(({ status, cseq, body }) => ({ status, cseq, body }))).toEqual(
            items
              .filter((item) => 'status' in item)
              .map(({ headers, ...item }) => ({
                status: 200,
                cseq: headers[0]?.[1],
                body: 'body' in item ? item.body : '',
              })),
          );
        },
      ),
      { numRuns: 500 },
    );
  });

  test('is handed on without a copy, but for packets that span two chunks', () => {
    const one = encode({
      channel: 0,
      data: writeRtp({ sequence: 1, timestamp: 0, payload: Buffer.alloc(1000) }),
    });
    const bytes = Buffer.concat(Array.from({ length: 100 }, () => one));
    const chunks = [...split(bytes, [10_000])].map((chunk) => Buffer.from(chunk));
    const { frames } = read(chunks);
    expect(frames).toHaveLength(100);
    const buffers = new Set(chunks.map(({ buffer }) => buffer));
    const copied = frames.filter(({ data }) => !buffers.has(data.buffer as ArrayBuffer));
    expect(copied.length).toBeLessThan(chunks.length);
  });

  test('may be a request of the camera', () => {
    const bytes = Buffer.from('OPTIONS rtsp://x RTSP/1.0\r\nCSeq: 7\r\n\r\n');
    expect(read([bytes]).messages).toEqual([{ status: undefined, method: 'OPTIONS', body: '', cseq: '7' }]);
  });

  test('never takes more than a moment, whatever it is', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 3000 }), { maxLength: 20 }), (chunks) => {
        read(chunks.map((chunk) => Buffer.from(chunk)));
      }),
    );
  });

  test.each([
    ['endless noise', Buffer.alloc(70_000, 'x'), 'sends what is not RTSP'],
    [
      'endless headers',
      Buffer.from(`RTSP/1.0 200 OK\r\n${'X: y\r\n'.repeat(1000)}`),
      'headers are longer than',
    ],
    [
      'a header without end',
      Buffer.from(`RTSP/1.0 200 OK\r\nX: ${'y'.repeat(9000)}`),
      'headers are longer than',
    ],
    ['a length that is none', Buffer.from('RTSP/1.0 200 OK\r\nContent-Length: -5\r\n\r\n'), 'not a number'],
    [
      'too long a length',
      Buffer.from('RTSP/1.0 200 OK\r\nContent-Length: 99999999\r\n\r\n'),
      'longer than 1048576 bytes',
    ],
    ['a web server', Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n'), 'is a web server at this port'],
  ])('is given up with the reason when it is %s', (_, bytes, reason) => {
    const endless = function* () {
      for (let count = 0; count < 1000; count++) yield bytes;
    };
    expect(() => read(endless())).toThrow(
      expect.objectContaining({ code: 'broken' } satisfies Partial<RtspError>),
    );
    expect(() => read(endless())).toThrow(reason);
  });

  test('a head that comes byte by byte costs no time that grows with its square', () => {
    const head = Buffer.from(`RTSP/1.0 200 OK\r\nX: ${'y'.repeat(30_000)}\r\n\r\n`);
    expect(read(split(head, [1])).messages).toHaveLength(1);
  });
});

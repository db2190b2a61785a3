import type { Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { RtspError } from '../../../pipelines/rtsp/protocol/rtsp-error.ts';
import {
  encode,
  type FakeAnswer,
  FakeCamera,
  type FakeCameraOptions,
  type FakeItem,
  type FakeStyle,
  videoAndAudio,
} from '../../support/fake-camera.ts';
import { writeRtp } from '../../support/rtp-writer.ts';
import { openSession, view } from '../../support/rtsp-viewer.ts';
import { waitFor } from '../../support/wait.ts';

/** Cameras that speak RTSP in every way that its RFC allows, and then some. */

/** Nothing that looks like the beginning of a message or of a packet: no reader could tell that from one. */
const noise = fc
  .uint8Array({ maxLength: 300 })
  .filter((data) => !/RTSP|HTTP|[A-Z]{4,}|\$...[\x80-\xbf]/s.test(Buffer.from(data).toString('latin1')));

const style: fc.Arbitrary<FakeStyle> = fc.record(
  {
    newline: fc.constantFrom('\r\n', '\n'),
    headerCase: fc.constantFrom('lower', 'upper'),
    fold: fc.boolean(),
    chunkBytes: fc.oneof(fc.integer({ min: 20, max: 3000 }), fc.constant(1)),
    noise,
  },
  { requiredKeys: [] },
);

const packets = fc.array(
  fc.record({ audio: fc.boolean(), payload: fc.uint8Array({ minLength: 1, maxLength: 400 }) }),
  { minLength: 1, maxLength: 12 },
);

const oddity = fc.record({
  style,
  packets,
  /** How many of them come before the answer to PLAY. */
  early: fc.nat(12),
  cseq: fc.constantFrom('right', 'missing', 'wrong first', 'twice', 'provisional first'),
  /** The channels that it answers, of what it was asked for. */
  channels: fc.constantFrom('as asked', 'higher', 'swapped', 'one', 'not said'),
  base: fc.constantFrom('usual', 'missing', 'relative', 'nonsense', 'empty', 'foreign'),
  session: fc.constantFrom(
    'a',
    '$-_.+%7e~;timeout=20',
    'x ; timeout = "30"',
    '1234;timeout=0',
    ';timeout=5',
    '',
  ),
  asks: fc.boolean(),
  login: fc.constantFrom(undefined, 'Basic realm="x"', 'Digest nonce=NONCE, realm="camera", qop=auth'),
  nonceUses: fc.constantFrom(1, 2, 100),
  extraHeaders: fc.array(
    fc.tuple(fc.stringMatching(/^[A-Za-z-]{1,20}$/), fc.stringMatching(/^[ -~]{0,300}$/)),
    {
      maxLength: 5,
    },
  ),
});
type Oddity = typeof oddity extends fc.Arbitrary<infer T> ? T : never;

function camera(odd: Oddity): FakeCameraOptions {
  const items = (channelsOf: readonly (readonly [number, number])[]): FakeItem[] =>
    odd.packets.map(({ audio, payload }, sequence) => ({
      channel: channelsOf[audio ? 1 : 0]?.[0] ?? 0,
      data: writeRtp({ sequence, timestamp: sequence, payload, payloadType: audio ? 8 : 96 }),
    }));
  const taken = new Map<object, (readonly [number, number])[]>();
  return {
    sdp: videoAndAudio,
    style: odd.style,
    ...(odd.login && {
      login: { user: 'u', password: 'p', challenges: [odd.login], nonceUses: odd.nonceUses },
    }),
    answer: (request, usual, connection) => {
      const channels = taken.get(connection) ?? [];
      taken.set(connection, channels);
      let answer: FakeAnswer = {
        ...usual,
        headers: [...usual.headers, ...odd.extraHeaders.filter(isHarmless)],
      };
      answer = set(answer, 'Session', odd.session);
      if (request.method === 'DESCRIBE') answer = set(answer, 'Content-Base', baseOf(odd.base, request.url));
      if (request.method === 'SETUP' && usual.status === 200) {
        const [rtp = 0, rtcp = 0] = connection.channels.at(-1) ?? [];
        const agreed = {
          'as asked': [rtp, rtcp],
          higher: [rtp + 10, rtcp + 10],
          swapped: [rtcp, rtp],
          one: [rtp],
          'not said': undefined,
        }[odd.channels];
        channels.push([agreed?.[0] ?? rtp, agreed?.[1] ?? rtcp]);
        answer = set(answer, 'Transport', agreed && `RTP/AVP/TCP;unicast;interleaved=${agreed.join('-')}`);
      }
      const asked: FakeItem[] = odd.asks ? [Buffer.from('GET_PARAMETER * RTSP/1.0\nCSeq: 1\n\n')] : [];
      const early =
        request.method === 'PLAY' && usual.status === 200 ? items(channels).slice(0, odd.early) : [];
      return [...asked, ...early, ...numbered(answer, odd.cseq)];
    },
    play: async (connection) => {
      await connection.send(...items(taken.get(connection) ?? []).slice(odd.early));
    },
  };
}

function isHarmless([name]: readonly [string, string]): boolean {
  const meant = [
    'cseq',
    'session',
    'transport',
    'content-length',
    'content-base',
    'location',
    'content-location',
  ];
  return !meant.includes(name.toLowerCase()) && !/^www-authenticate$/i.test(name);
}

function set(answer: FakeAnswer, name: string, value: string | undefined): FakeAnswer {
  if (!answer.headers.some(([one]) => one === name)) return answer;
  const others = answer.headers.filter(([one]) => one !== name);
  return { ...answer, headers: value === undefined ? others : [...others, [name, value]] };
}

function baseOf(kind: Oddity['base'], url: string): string | undefined {
  const bases = {
    missing: undefined,
    relative: '/x/',
    nonsense: '::: \\',
    empty: '',
    foreign: 'rtsp://0.0.0.0:1/x/',
  };
  return kind === 'usual' ? `${url}/` : bases[kind];
}

function numbered(answer: FakeAnswer, kind: Oddity['cseq']): FakeAnswer[] {
  const wrong = set({ ...answer, status: 404 }, 'CSeq', '9999');
  switch (kind) {
    case 'right':
      return [answer];
    case 'missing':
      return [set(answer, 'CSeq', undefined)];
    case 'wrong first':
      return [wrong, answer];
    case 'twice':
      return [answer, answer];
    case 'provisional first':
      return [{ status: 100, headers: answer.headers.filter(([name]) => name === 'CSeq') }, answer];
  }
}

test('a camera may be odd in many ways at once, and every packet arrives', async () => {
  await fc.assert(
    fc.asyncProperty(oddity, async (odd) => {
      const fake = await FakeCamera.start(camera(odd));
      const viewer = await view(fake.url('u:p@'));
      await viewer.received(odd.packets.length);
      const sent = [false, true].map((audio) => odd.packets.filter((one) => one.audio === audio));
      const got = viewer.packets.map((list) =>
        list.map(({ data, payloadBegin, payloadEnd }) => ({
          payload: data.subarray(payloadBegin, payloadEnd),
        })),
      );
      expect(got.map((list) => list.map(({ payload }) => [...payload]))).toEqual(
        sent.map((list) => list.map(({ payload }) => [...payload])),
      );
      expect(fake.login?.wrong ?? 0).toBe(0);
      await viewer.session.close();
      expect(viewer.ends).toEqual([undefined]);
      await waitFor(() => fake.connections === 0, 5000, 'the end of the connection');
      await fake.stop();
    }),
    { numRuns: 100 },
  );
}, 120_000);

const places = ['DESCRIBE', 'SETUP', 'PLAY', 'later'] as const;
const failures = [
  ...['silence', 'end', 'half an answer and silence', 'half an answer and the end', 'slow bytes', 'reset'],
  ...['huge headers', 'endless body', 'wrong length', 'negative length', 'garbage', 'a web server'],
] as const;

/** Does to one answer what `how` says. */
async function fail(
  how: string,
  usual: FakeAnswer,
  socket: Socket,
  share: number,
  garbage: Uint8Array,
): Promise<void> {
  const whole = Buffer.from(encode(usual));
  const half = whole.subarray(0, Math.floor(whole.length * share));
  const length = (value: string) =>
    encode({ ...usual, headers: [...usual.headers, ['Content-Length', value]] });
  const endless = async (data: Uint8Array) => {
    while (socket.writable && (socket.write(data) || (await drained(socket)))) await turn();
  };
  switch (how) {
    case 'end':
      return void socket.end();
    case 'reset':
      return void socket.resetAndDestroy();
    case 'half an answer and silence':
      return void socket.write(half);
    case 'half an answer and the end':
      return void socket.end(half);
    case 'slow bytes':
      for (const byte of whole.subarray(0, -1)) {
        socket.write(Buffer.from([byte]));
        await pause(15);
      }
      return;
    case 'huge headers':
      socket.write('RTSP/1.0 200 OK\r\n');
      return endless(Buffer.from(`X: ${'y'.repeat(1000)}\r\n`));
    case 'endless body':
      socket.write('RTSP/1.0 200 OK\r\nContent-Length: 999999999\r\n\r\n');
      return endless(Buffer.from('v=0\r\n'));
    case 'wrong length':
      return void socket.write(length('5000'));
    case 'negative length':
      return void socket.write(length('-1'));
    case 'garbage':
      return endless(garbage);
    case 'a web server':
      return void socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n');
  }
}

/** @returns what the client of a camera that fails ends with. */
async function failing(
  at: string,
  how: string,
  share: number,
  garbage: Uint8Array,
): Promise<RtspError | undefined> {
  const timeouts = { connectMs: 1000, answerMs: 400, firstPacketMs: 400, silenceMs: 400 };
  const fake = await FakeCamera.start({
    answer: ({ method }, usual, { socket }) => {
      if (method === 'TEARDOWN') return [];
      if (method !== at) return [usual];
      void fail(how, usual, socket, share, garbage);
      return [];
    },
    play: async ({ socket }) => {
      if (at === 'later') await fail(how, { status: 200, headers: [['CSeq', '0']] }, socket, share, garbage);
    },
  });
  const session = openSession(fake.url(), { timeouts });
  const watched = async (): Promise<RtspError | undefined> => {
    const [result] = await (await session).setup((await session).tracks);
    if (result?.error) {
      await (await session).close();
      return result.error;
    }
    return new Promise((resolve, reject) => {
      void session.then((open) => open.play({ onPacket: () => {}, onEnd: resolve })).catch(reject);
    });
  };
  const error = await watched().catch((reason: unknown) => reason as RtspError);
  await waitFor(() => fake.connections === 0, 5000, `the end of the connection: ${how} at ${at}`);
  await fake.stop();
  return error;
}

test('a camera may fail in any way, anywhere: that ends in time, with a reason, and with nothing left open', async () => {
  const share = fc.double({ min: 0, max: 1, noNaN: true });
  await fc.assert(
    fc.asyncProperty(share, fc.uint8Array({ minLength: 1, maxLength: 2000 }), async (part, garbage) => {
      const began = performance.now();
      const all = places.flatMap((at) => failures.map((how) => ({ at, how })));
      const errors = await Promise.all(all.map(({ at, how }) => failing(at, how, part, garbage)));
      for (const [index, error] of errors.entries()) {
        expect(error, JSON.stringify(all[index])).toBeInstanceOf(RtspError);
        expect(error?.message).toMatch(/^[a-z].{10,200}$/);
      }
      // The waits are 0.4 s each, and there are no more than six in a row.
      expect(performance.now() - began).toBeLessThan(15_000);
    }),
    { numRuns: 4, endOnFailure: true },
  );
}, 90_000);

const turn = () => new Promise((resolve) => setImmediate(resolve));
const drained = (socket: Socket) =>
  new Promise<boolean>((resolve) => {
    socket.once('drain', () => resolve(true));
    socket.once('close', () => resolve(false));
  });

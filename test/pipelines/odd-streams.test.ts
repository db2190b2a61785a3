import { createSocket } from 'node:dgram';
import { setTimeout as pause, setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import type { VideoUnit } from '../../pipelines/media/unit.ts';
import type { RtspTransport } from '../../pipelines/rtsp/track-setup.ts';
import { RtspSource } from '../../pipelines/sources/rtsp-source.ts';
import { silentLogger } from '../support/bus.ts';
import { FakeCamera, type FakeConnection, type FakeStyle, oneVideo } from '../support/fake-camera.ts';
import {
  describeParameters,
  isSlice,
  type NalPicture,
  nalPictures,
  type PackStyle,
  packPictures,
} from '../support/nal-packets.ts';
import { videoPackets } from '../support/rtp.ts';

/** Cameras that pack their pictures in every way that is allowed or common, from the wire to whole pictures. */

interface Stream {
  readonly codec: 'h264' | 'h265';
  readonly pictures: readonly NalPicture[];
}
let streams: readonly Stream[];
beforeAll(async () => {
  const wanted = [
    { codec: 'h264', options: 'tune=zerolatency sliced-threads=true threads=3' },
    { codec: 'h264', options: 'speed-preset=medium option-string=bframes=3:b-adapt=0:b-pyramid=normal' },
    { codec: 'h265', options: 'speed-preset=medium' },
  ] as const;
  streams = await Promise.all(
    wanted.map(async ({ codec, options }) => {
      const packets = await videoPackets(codec, {
        frames: 24,
        keyFrameEvery: 8,
        options,
        payloader: 'mtu=65000',
      });
      return { codec, pictures: nalPictures(packets) };
    }),
  );
});

const word = fc.nat(0xffff_ffff);
const packStyle: fc.Arbitrary<PackStyle> = fc.record({
  payloadBytes: fc.constantFrom(40, 100, 400, 1388, 1400, 9000),
  aggregate: fc.boolean(),
  markers: fc.constantFrom('right', 'never', 'always', 'wrong'),
  earlyParameters: fc.boolean(),
  firstSequence: fc.constantFrom(0, 1, 30_000, 65_500, 65_535),
  firstTimestamp: fc.constantFrom(0, 2 ** 31 - 50_000, 2 ** 32 - 50_000, 123_456),
  extension: fc.option(fc.array(word, { maxLength: 5 }), { nil: undefined }),
  csrcs: fc.array(word, { maxLength: 15 }),
  padding: fc.constantFrom(0, 1, 4, 255),
});
const wire: fc.Arbitrary<FakeStyle> = fc.record(
  {
    chunkBytes: fc.integer({ min: 500, max: 70_000 }),
    noise: fc
      .uint8Array({ maxLength: 40 })
      .filter((data) => !/[$A-Z]/.test(Buffer.from(data).toString('latin1'))),
  },
  { requiredKeys: [] },
);

interface Play extends Stream {
  readonly style: PackStyle;
  readonly transport: RtspTransport;
  readonly wire?: FakeStyle;
  /** Whether the description holds the parameter sets. */
  readonly announced: boolean;
  /** What becomes of the packets on their way. */
  readonly way: (packets: readonly Buffer[]) => readonly Buffer[];
}

/** Plays a camera that sends all at once, to its end. @returns the pictures that came, as base64. */
async function play({
  codec,
  pictures,
  style,
  transport,
  wire: how = {},
  announced,
  way,
}: Play): Promise<string[]> {
  const packets = way(packPictures(codec, pictures, style).flat());
  const parameters = announced ? `;${describeParameters(codec, pictures)}` : '';
  const camera = await FakeCamera.start({
    sdp: oneVideo.replace('H264', codec.toUpperCase()).replace('mode=1', `mode=1${parameters}`),
    style: how,
    play: async (connection) => {
      await (transport === 'tcp' ? sendTcp(connection, packets) : sendUdp(connection, packets));
      connection.socket.end();
    },
  });
  const source = new RtspSource({
    ...{ url: camera.url(), transport, audio: false, patienceMs: 5000 },
    ...{ log: silentLogger().source('monitor'), monitorID: 'door' },
  });
  const units: VideoUnit[] = [];
  const end = await source.play({
    onVideo: (unit) => {
      const last = units.at(-1);
      if (unit.continues && last)
        units.splice(-1, 1, { ...last, data: Buffer.concat([last.data, unit.data]) });
      else units.push(unit);
    },
    onAudio: () => {},
    onJump: () => {},
  });
  await camera.stop();
  expect(end.reason).toBe('lost');
  return units.map(slicesOf(codec));
}

function sendTcp(connection: FakeConnection, packets: readonly Buffer[]): Promise<void> {
  const channel = connection.channels[0]?.[0] ?? 0;
  return connection.send(...packets.map((data) => ({ channel, data })));
}

async function sendUdp({ clientPorts }: FakeConnection, packets: readonly Buffer[]): Promise<void> {
  const socket = createSocket('udp4');
  for (const [n, data] of packets.entries()) {
    await new Promise((resolve) => socket.send(data, clientPorts[0]?.[0] ?? 0, '127.0.0.1', resolve));
    // The receiver is in the same process and reads 32 at a time; the system holds few more for it.
    if (n % 10 === 9) await turn();
  }
  socket.close();
  // Longer than a missing one is waited for.
  await pause(400);
}

/** What is shown of a picture: its slices, without what may go with them. */
function slicesOf(codec: Stream['codec']): (unit: Pick<VideoUnit, 'data'>) => string {
  return ({ data }) => {
    const slices: Buffer[] = [];
    for (let at = 0; at < data.length; ) {
      const end = at + 4 + data.readUInt32BE(at);
      if (isSlice(codec, data.subarray(at + 4, end))) slices.push(data.subarray(at + 4, end));
      at = end;
    }
    return Buffer.concat(slices).toString('base64');
  };
}

const sent = ({ codec, pictures }: Stream) =>
  pictures.map(({ nals }) => Buffer.concat(nals.filter((nal) => isSlice(codec, nal))).toString('base64'));

test('every picture arrives whole however it is packed, cut, shuffled and doubled', async () => {
  const shuffle = fc.array(fc.nat(6), { minLength: 1, maxLength: 50 });
  const doubles = fc.array(fc.boolean(), { minLength: 1, maxLength: 50 });
  const property = fc.asyncProperty(
    packStyle,
    wire,
    fc.boolean(),
    shuffle,
    doubles,
    async (style, how, ...others) => {
      const [announced, moves, twice] = others;
      const shuffled = (packets: readonly Buffer[]) =>
        packets
          .flatMap((data, n) => {
            // Nobody knows that there was one before the first.
            const place = n === 0 ? -1 : n + (moves[n % moves.length] ?? 0);
            return twice[n % twice.length]
              ? [
                  { data, place },
                  { data, place: place + 3 },
                ]
              : [{ data, place }];
          })
          .sort((a, b) => a.place - b.place)
          .map(({ data }) => data);
      const plays = streams.flatMap((stream): Play[] => [
        { ...stream, style, announced, transport: 'tcp', wire: how, way: (packets) => packets },
        { ...stream, style, announced, transport: 'udp', way: shuffled },
      ]);
      const arrived = await Promise.all(plays.map(play));
      for (const [index, pictures] of arrived.entries()) {
        const right = sent(plays[index] as Play);
        const { codec, transport } = plays[index] as Play;
        const found = pictures.map((picture) => right.indexOf(picture)).join(' ');
        expect(`${codec} over ${transport}: ${found}`).toBe(
          `${codec} over ${transport}: ${[...right.keys()].join(' ')}`,
        );
      }
    },
  );
  await fc.assert(property, { numRuns: 25, endOnFailure: true });
});

test('a picture of which no packet is lost arrives whole, whatever is lost of the others', async () => {
  const losses = fc.array(fc.constantFrom(true, false, false, false, false, false, false), {
    minLength: 5,
    maxLength: 200,
  });
  const property = fc.asyncProperty(
    packStyle,
    losses,
    fc.constantFrom('tcp', 'udp'),
    async (style, lost, transport) => {
      const isLost = (n: number) => n > 0 && lost[n % lost.length] === true;
      const way = (packets: readonly Buffer[]) => packets.filter((_, n) => !isLost(n));
      await Promise.all(
        streams.map(async (stream) => {
          const arrived = await play({ ...stream, style, transport, announced: true, way });
          let n = 0;
          const fates = packPictures(stream.codec, stream.pictures, style).map((packets) =>
            packets.map(() => isLost(n++)),
          );
          const expected = sent(stream).filter((_, index) => !fates[index]?.includes(true));
          expect(arrived).toEqual(expect.arrayContaining(expected));
        }),
      );
    },
  );
  await fc.assert(property, { numRuns: 25, endOnFailure: true });
});

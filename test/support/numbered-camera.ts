import { setTimeout as pause } from 'node:timers/promises';
import { FakeCamera, type FakeConnection } from './fake-camera.ts';
import { isSlice, nalPictures, packPictures } from './nal-packets.ts';
import { videoPackets } from './rtp.ts';

export interface NumberedCameraOptions {
  /** Its place among the cameras of a test: connections of all of them have different numbers. */
  readonly index: number;
  /** Pictures from one key frame to the next. */
  readonly keyFrameEvery: number;
}

/** What one client got. */
export interface NumberedConnection {
  /** Its number, which is in each of its pictures. */
  readonly number: number;
  /** The moment at which each picture was sent, from the first key frame on: Unix time in milliseconds. */
  readonly sentMs: number[];
  /** When the client was gone. */
  endMs: number;
}

export interface NumberedCamera {
  url(): string;
  readonly connections: readonly NumberedConnection[];
}

/** Identifies the SEI message (H.264, section D.1.6); then the connection's number and the picture's, in digits. */
const mark = Buffer.from('sentrybus-number');
const digits = 6;
const periodMs = 100;
const clipFrames = 60;
const style = { payloadBytes: 60_000, aggregate: false, markers: 'right', earlyParameters: false } as const;
const ticksPerMs = 90;

/**
 * A camera whose pictures say which they are: ten a second, as long as somebody looks, each with a number that a
 * recording keeps.
 */
export async function startNumberedCamera(options: NumberedCameraOptions): Promise<NumberedCamera> {
  const { index, keyFrameEvery } = options;
  const encoded = await videoPackets('h264', {
    ...{ frames: clipFrames, keyFrameEvery, payloader: 'mtu=65000' },
    ...{ width: 160, height: 120, options: 'tune=zerolatency speed-preset=ultrafast bitrate=400' },
  });
  const pictures = nalPictures(encoded).map(({ nals }) => nals);
  const connections: NumberedConnection[] = [];
  const beganMs = performance.now();
  const camera = await FakeCamera.start({ play: (client) => void show(client) });
  return { url: () => camera.url(), connections };

  async function show(client: FakeConnection): Promise<void> {
    const { socket, channels } = client;
    const number = index * 1000 + connections.length;
    const connection: NumberedConnection = { number, sentMs: [], endMs: Number.POSITIVE_INFINITY };
    connections.push(connection);
    socket.once('close', () => {
      connection.endMs = Date.now();
    });
    const [channel = 0] = channels[0] ?? [];
    let sequence = 0;
    for (let n = Math.ceil((performance.now() - beganMs) / periodMs); ; n += 1) {
      await pause(Math.max(0, beganMs + n * periodMs - performance.now()));
      if (socket.destroyed) return;
      const inClip = n % clipFrames;
      // Real cameras begin anywhere, too.
      if (connection.sentMs.length > 0 || inClip % keyFrameEvery === 0) connection.sentMs.push(Date.now());
      const nals = numbered(pictures[inClip] ?? [], number, connection.sentMs.length - 1);
      const picture = { timestamp: n * periodMs * ticksPerMs, nals };
      const [packets = []] = packPictures('h264', [picture], {
        ...{ ...style, firstSequence: sequence, firstTimestamp: 0, csrcs: [], padding: 0 },
      });
      sequence += packets.length;
      await client.send(...packets.map((data) => ({ channel, data })));
    }
  }
}

function numbered(nals: readonly Buffer[], connection: number, picture: number): Buffer[] {
  if (picture < 0) return [...nals];
  const text = [connection, picture].map((number) => String(number).padStart(digits, '0')).join('');
  const content = Buffer.concat([mark, Buffer.from(text)]);
  const sei = Buffer.concat([Buffer.from([6, 5, content.length]), content, Buffer.from([0x80])]);
  const slice = nals.findIndex((nal) => isSlice('h264', nal));
  return [...nals.slice(0, slice), sei, ...nals.slice(slice)];
}

/** The pictures in a recording, in the order of the file: their connections' numbers and their own. */
export function numbersIn(file: Buffer): [connection: number, picture: number][] {
  const found: [number, number][] = [];
  for (let at = file.indexOf(mark); at >= 0; at = file.indexOf(mark, at + 1)) {
    const text = file.toString('latin1', at + mark.length, at + mark.length + 2 * digits);
    if (!/^\d+$/.test(text) || text.length < 2 * digits) continue;
    found.push([Number(text.slice(0, digits)), Number(text.slice(digits))]);
  }
  return found;
}

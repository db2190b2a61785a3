import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { setTimeout as pause } from 'node:timers/promises';
import { nowUs } from '../../bus/base/time.ts';
import { FakeCamera, type FakeConnection, oneVideo } from './fake-camera.ts';

/** The RTP packets of one picture. */
export type PicturePackets = readonly Buffer[];

/** Packets by picture, in the order of sending: those of one picture have one timestamp. */
export function byPicture(packets: readonly Buffer[]): PicturePackets[] {
  const pictures: Buffer[][] = [];
  let last: number | undefined;
  for (const packet of packets) {
    const timestamp = packet.readUInt32BE(4);
    if (timestamp !== last) pictures.push([]);
    last = timestamp;
    pictures.at(-1)?.push(packet);
  }
  return pictures;
}

/** Two streams as one: the second goes on where the first ends, a period of ten pictures a second later. */
export function following(
  first: readonly PicturePackets[],
  second: readonly PicturePackets[],
  stepSeconds = 0.1,
): PicturePackets[] {
  const timeOf = (picture: PicturePackets | undefined) => picture?.[0]?.readUInt32BE(4) ?? 0;
  const offset = (timeOf(first.at(-1)) - timeOf(second[0])) / ticksPerSecond + stepSeconds;
  return [...first, ...second.map((packets) => packets.map((packet) => moved(packet, offset)))];
}

export interface PacedCameraOptions {
  readonly pictures: readonly PicturePackets[];
  readonly codec?: 'h264' | 'h265';
  /** Between two pictures. */
  readonly periodMs: number;
  /** By how many seconds the n-th picture's timestamp is wrong. */
  readonly offset?: (n: number) => number;
  /** From this picture on it is another RTP source, with sequence numbers of its own. */
  readonly newSourceAt?: number;
  /** Before the first picture, after PLAY was answered. */
  readonly delayMs?: number;
}

export interface PacedCamera {
  url(): string;
  /** When each picture was sent to the client that came last, Unix time in microseconds. */
  readonly sentUs: readonly number[];
}

const ticksPerSecond = 90_000;

/** A fake camera that sends each picture at its time, with the timestamps that a test wants. */
export async function startPacedCamera(options: PacedCameraOptions): Promise<PacedCamera> {
  const { codec = 'h264' } = options;
  const sentUs: number[] = [];
  const camera = await FakeCamera.start({
    sdp: oneVideo.replace('H264', codec.toUpperCase()),
    play: (connection) => send(options, connection, sentUs),
  });
  return { url: () => camera.url(), sentUs };
}

async function send(
  options: PacedCameraOptions,
  connection: FakeConnection,
  sentUs: number[],
): Promise<void> {
  const {
    pictures,
    periodMs,
    offset = () => 0,
    newSourceAt = Number.POSITIVE_INFINITY,
    delayMs = 0,
  } = options;
  const [ports] = connection.clientPorts;
  const udp = ports && createSocket('udp4');
  const [channel = 0] = connection.channels[0] ?? [];
  const firstMs = performance.now() + delayMs;
  sentUs.length = 0;
  let sequence = 65_500;
  for (const [n, packets] of pictures.entries()) {
    await pause(Math.max(0, firstMs + n * periodMs - performance.now()));
    if (connection.socket.destroyed) break;
    if (n === newSourceAt) sequence = 7;
    sentUs.push(nowUs());
    const rewritten = packets.map((packet) => rewrite(packet, sequence++, offset(n), n >= newSourceAt));
    if (udp) await sendAll(udp, ports[0], rewritten);
    else await connection.send(...rewritten.map((data) => ({ channel, data })));
  }
  udp?.close();
}

function rewrite(packet: Buffer, sequence: number, offsetSeconds: number, isNewSource: boolean): Buffer {
  const copy = moved(packet, offsetSeconds);
  copy.writeUInt16BE(sequence & 0xffff, 2);
  copy.writeUInt32BE(isNewSource ? 0x0bad_cafe : 0x5eed_5eed, 8);
  return copy;
}

function moved(packet: Buffer, seconds: number): Buffer {
  const copy = Buffer.from(packet);
  copy.writeUInt32BE((packet.readUInt32BE(4) + Math.round(seconds * ticksPerSecond)) >>> 0, 4);
  return copy;
}

async function sendAll(socket: UdpSocket, port: number, datagrams: readonly Buffer[]): Promise<void> {
  for (const data of datagrams) {
    await new Promise((resolve) => socket.send(data, port, '127.0.0.1', resolve));
  }
}

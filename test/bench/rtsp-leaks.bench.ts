import { setTimeout as pause } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { parseRtspAddress } from '../../bus/base/rtsp-address.ts';
import { openRtsp } from '../../pipelines/rtsp/rtsp-client.ts';
import { type FakeAnswer, FakeCamera, type FakeConnection, sendDatagrams } from '../support/fake-camera.ts';
import { openFiles } from '../support/processes.ts';
import { writeRtp } from '../support/rtp-writer.ts';
import { shortTimeouts } from '../support/rtsp-viewer.ts';

/**
 * Ten thousand connections to cameras of every kind, good and bad, one after the other in one process: memory and
 * descriptors have to stay where they were after the first thousand.
 */

const connections = 10_000;
const warmUp = 1000;
const timeouts = { ...shortTimeouts, answerMs: 50, firstPacketMs: 2000, silenceMs: 2000 };
const login = { user: 'u', password: 'p', challenges: ['Digest realm="camera", nonce=NONCE, qop=auth'] };
const packet = writeRtp({ sequence: 1, timestamp: 1, payload: Buffer.alloc(1000) });
const only = (name: string, act: (usual: FakeAnswer) => readonly FakeAnswer[]) => ({
  answer: ({ method }: { method: string }, usual: FakeAnswer) => (method === name ? act(usual) : [usual]),
});

test('connections leave nothing behind', async () => {
  const play = (connection: FakeConnection) => connection.send({ channel: 0, data: packet });
  const cameras = await Promise.all([
    FakeCamera.start({ play }),
    FakeCamera.start({ play, login }),
    FakeCamera.start({ login: { ...login, password: 'other' } }),
    FakeCamera.start({
      transports: ['udp'],
      play: ({ clientPorts: [ports] }) => sendDatagrams(ports?.[0] ?? 0, [packet]),
    }),
    FakeCamera.start({
      answer: (_, usual, { socket }) => {
        socket.resetAndDestroy();
        return [usual];
      },
    }),
    FakeCamera.start(only('DESCRIBE', (usual) => [{ ...usual, status: 404 }])),
    FakeCamera.start(only('SETUP', () => [])),
    FakeCamera.start({ play, ...only('TEARDOWN', (usual) => [{ ...usual, headers: [] }]) }),
    FakeCamera.start({ play: ({ socket }) => void socket.end(Buffer.alloc(5000, '$RTSP/1.0 2')) }),
    FakeCamera.start({
      play: ({ socket }) => void socket.end('RTSP/1.0 200 OK\r\nContent-Length: x\r\n\r\n'),
    }),
  ]);
  const collect = collector();
  let first = { heapBytes: 0, rssBytes: 0, files: 0 };
  let played = 0;
  let packets = 0;
  const errors = new Map<string, number>();
  const began = performance.now();
  for (let count = 1; count <= connections; count++) {
    const camera = cameras[count % cameras.length] as FakeCamera;
    try {
      packets += await connect(camera.url('u:p@'));
      played++;
    } catch (error) {
      const text = (error as Error).message;
      errors.set(text, (errors.get(text) ?? 0) + 1);
    }
    for (const { requests } of cameras) requests.length = 0;
    if (count === warmUp || count === connections) {
      const now = await measure(collect);
      if (count === warmUp) first = now;
      console.info(`${count} connections:`, now);
    }
  }
  const seconds = (performance.now() - began) / 1000;
  const last = await measure(collect);
  console.info(`${connections} connections in ${seconds.toFixed(0)} s: ${played} played, ${packets} packets`);
  console.info(
    `heap ${signed(last.heapBytes - first.heapBytes)}, memory ${signed(last.rssBytes - first.rssBytes)}`,
  );
  console.info(Object.fromEntries(errors));
  expect(last.files).toBeLessThanOrEqual(first.files + 2);
  expect(last.heapBytes - first.heapBytes).toBeLessThan(4 * 1024 * 1024);
});

/** @returns how many packets came. */
async function connect(url: string): Promise<number> {
  const { signal } = controller;
  const session = await openRtsp({
    address: parseRtspAddress(url),
    transport: 'tcp',
    timeouts,
    signal,
    log: () => {},
  });
  let packets = 0;
  try {
    const [result] = await session.setup(session.tracks);
    if (result?.error) throw result.error;
    await new Promise<void>((resolve, reject) => {
      const onEnd = (error?: Error) => (error ? reject(error) : resolve());
      const onPacket = () => {
        packets++;
        resolve();
      };
      session.play({ onPacket, onEnd }).catch(reject);
    });
  } finally {
    await session.close();
  }
  return packets;
}

/** One for all connections, as a process has one: a listener that is left on it would be a leak. */
const controller = new AbortController();

async function measure(collect: () => void): Promise<{ heapBytes: number; rssBytes: number; files: number }> {
  // Sockets that have been destroyed are closed a moment later.
  await pause(500);
  collect();
  collect();
  const { heapUsed, rss, arrayBuffers } = process.memoryUsage();
  return { heapBytes: heapUsed + arrayBuffers, rssBytes: rss, files: openFiles(process.pid) };
}

function collector(): () => void {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc') as () => void;
}

function signed(bytes: number): string {
  return `${bytes < 0 ? '' : '+'}${(bytes / 1024 / 1024).toFixed(1)} MB`;
}

import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { nowUs } from '../../bus/base/time.ts';
import { FakeCamera, type FakeConnection, oneVideo } from './fake-camera.ts';
import { temporaryFolder } from './folder.ts';
import { byPicture, type PicturePackets } from './paced-camera.ts';
import { packetsOf } from './rtp.ts';
import { writeRtp } from './rtp-writer.ts';

export interface BurstCamera {
  url(): string;
  /** When the movement began that was under way at this time, or the last one before: Unix time in microseconds. */
  burstBefore(timeUs: number): number;
}

const rate = 5;
const cycleSeconds = 6;
/** In the last seconds of each cycle a square comes and goes. */
const burstSecond = 4;
const ticksPerPicture = 90_000 / rate;
const cycleMs = cycleSeconds * 1000;

const run = promisify(execFile);

/** One cycle at 640×480: a street that stands still, and a square on it in the last two seconds. */
async function cycle(): Promise<PicturePackets[]> {
  const path = join(await temporaryFolder(), 'burst.mp4');
  const square = `drawbox=200:150:160:160:white:fill:enable='gte(n,${burstSecond * rate})*not(mod(n,2))'`;
  await run('ffmpeg', [
    ...['-nostdin', '-loglevel', 'error', '-f', 'lavfi'],
    ...['-i', `smptebars=s=640x480:r=${rate}:d=${cycleSeconds},${square}`, '-pix_fmt', 'yuv420p'],
    ...['-c:v', 'libx264', '-preset', 'ultrafast', '-tune', 'zerolatency', '-threads', '1'],
    ...['-g', String(rate), '-sc_threshold', '0', path],
  ]);
  const line = `filesrc location=${path} ! qtdemux ! h264parse ! rtph264pay config-interval=-1 timestamp-offset=0`;
  return byPicture(await packetsOf(line));
}

/** A camera with five pictures a second: all its clients are sent each picture at the same moment. */
export async function startBurstCamera(): Promise<BurstCamera> {
  const pictures = await cycle();
  const begunMs = performance.now();
  const begunUs = nowUs();
  const camera = await FakeCamera.start({
    sdp: oneVideo,
    play: (connection) => send(pictures, connection, begunMs),
  });
  return {
    url: () => camera.url(),
    burstBefore(timeUs) {
      const firstUs = begunUs + burstSecond * 1_000_000;
      const cycleUs = cycleMs * 1000;
      return firstUs + Math.floor((timeUs - firstUs) / cycleUs) * cycleUs;
    },
  };
}

async function send(
  pictures: readonly PicturePackets[],
  connection: FakeConnection,
  begunMs: number,
): Promise<void> {
  const [channel = 0] = connection.channels[0] ?? [];
  let sequence = 0;
  // From the next cycle on, which begins with a key frame.
  let n = Math.ceil((performance.now() - begunMs) / cycleMs) * pictures.length;
  for (; !connection.socket.destroyed; n += 1) {
    await pause(Math.max(0, begunMs + (n * 1000) / rate - performance.now()));
    const packets = pictures[n % pictures.length] ?? [];
    const written = packets.map((packet, at) =>
      writeRtp({
        ...{ sequence: sequence++, timestamp: n * ticksPerPicture },
        ...{ payload: packet.subarray(12), marker: at === packets.length - 1 },
      }),
    );
    await connection.send(...written.map((data) => ({ channel, data })));
  }
}

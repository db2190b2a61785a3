import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { temporaryFolder } from './folder.ts';
import { probe } from './probe.ts';

const run = promisify(execFile);
const binary = { encoding: 'buffer', maxBuffer: 256 * 1024 * 1024 } as const;

/** At 1, 3, 5, … s the picture is white for a moment, and a tone is heard. */
const now = (seconds: number) => `between(mod(t-1,2),0,${seconds})`;
const flash = `drawbox=w=iw:h=ih:color=white:t=fill:enable='${now(0.2)}'`;
const click = `if(${now(0.05)},0.8*sin(2*PI*1000*t),0)`;

export const filmRate = 25;

/** A film whose sound is in step with its picture, to the sample. Without a codec it has no sound. */
export async function makeFilm(seconds: number, audio?: { codec: string; rate: number }): Promise<string> {
  const path = join(await temporaryFolder(), 'film.mov');
  const picture = `color=black:s=160x120:r=${filmRate}:d=${seconds},${flash}`;
  await run('ffmpeg', [
    ...['-nostdin', '-loglevel', 'error', '-f', 'lavfi', '-i', picture],
    ...(audio ? ['-f', 'lavfi', '-i', `aevalsrc='${click}':s=${audio.rate}:d=${seconds}`] : []),
    ...[
      '-c:v',
      'libx264',
      '-preset',
      'ultrafast',
      '-tune',
      'zerolatency',
      '-threads',
      '1',
      '-g',
      String(filmRate),
    ],
    ...['-pix_fmt', 'yuv420p', ...(audio ? ['-c:a', audio.codec] : []), path],
  ]);
  return path;
}

/** The film's sound alone, as A-law of 8 kHz. */
export async function filmSound(seconds: number): Promise<Buffer> {
  const source = ['-f', 'lavfi', '-i', `aevalsrc='${click}':s=8000:d=${seconds}`];
  const args = ['-nostdin', '-loglevel', 'error', ...source, '-f', 'alaw', '-'];
  return (await run('ffmpeg', args, binary)).stdout;
}

/** Samples a second in which a recording's sound is looked at. */
const soundRate = 8000;

/**
 * By how many seconds each click of a recorded film is heard after its flash is seen. A flash in the last half second of
 * the sound, or after it, was recorded without its click.
 */
export async function offsetsOf(path: string): Promise<number[]> {
  const [flashes, samples] = await Promise.all([flashesOf(path), samplesOf(path, soundRate)]);
  const clicks = clicksIn(samples);
  const heard = flashes.filter((time) => time <= samples.length / soundRate - 0.5);
  return heard.map((time) => {
    const distances = clicks.map((each) => each - time);
    return distances.sort((a, b) => Math.abs(a) - Math.abs(b))[0] ?? Number.NaN;
  });
}

async function flashesOf(path: string): Promise<number[]> {
  const { packets } = await probe(path);
  const args = ['-nostdin', '-v', 'error', '-i', path, '-vf', 'scale=4:4,format=gray', '-f', 'rawvideo', '-'];
  const { stdout } = await run('ffmpeg', [...args.slice(0, -1), '-fps_mode', 'passthrough', '-'], binary);
  const isWhite = (n: number) => (stdout[n * 16] ?? 0) > 128;
  return packets.filter((_, n) => isWhite(n) && n > 0 && !isWhite(n - 1)).map(({ time }) => time);
}

/** When a tone begins after half a second of silence. */
export async function clicksOf(path: string): Promise<number[]> {
  return clicksIn(await samplesOf(path, soundRate));
}

function clicksIn(samples: Int16Array): number[] {
  const times: number[] = [];
  let last = Number.NEGATIVE_INFINITY;
  for (const [n, sample] of samples.entries()) {
    if (Math.abs(sample) < 5000) continue;
    if (n - last > soundRate / 2) times.push(n / soundRate);
    last = n;
  }
  return times;
}

/** A recording's sound from its beginning on, with silence where it has none. */
async function samplesOf(path: string, rate: number): Promise<Int16Array> {
  const filter = ['-map', '0:a', '-af', 'aresample=async=1:first_pts=0', '-ar', String(rate), '-ac', '1'];
  const args = ['-nostdin', '-v', 'error', '-i', path, ...filter, '-f', 's16le', '-'];
  const { stdout } = await run('ffmpeg', args, binary);
  return new Int16Array(
    stdout.buffer.slice(stdout.byteOffset, stdout.byteOffset + stdout.length - (stdout.length % 2)),
  );
}

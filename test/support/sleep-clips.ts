import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { cacheFolder, clip } from './clips.ts';

/** A street in which nothing moves but noise and, unless it is quiet, boxes that cross it: each of another size and speed. */
export interface SleepScene {
  readonly name: string;
  readonly width: number;
  readonly height: number;
  /** Of ffmpeg's filter `noise`. */
  readonly noise: number;
  readonly isQuiet: boolean;
  /** Key frames are so many pictures apart. */
  readonly group: number;
  /** Arguments of x264's rate control. */
  readonly rate: readonly string[];
  readonly seconds: number;
  /** Instead of x264 without B-frames: its name and arguments, besides `rate` and `group`. */
  readonly encoder?: readonly string[];
  /** When the first box begins; 30 s if it is not said. */
  readonly begin?: number;
  /** Of the whole picture, before the noise: less than 1 at night. */
  readonly contrast?: number;
  /** Boxes that no rule was made with: other sizes, speeds, paths and grays. */
  readonly isHeldOut?: boolean;
}

export const sceneFramesPerSecond = 15;

/** Side by side, in parts of the picture: 0.5 to 8 % of it, in up to 12 s, and short dashes. */
const crossings = [
  { share: 0.005, seconds: 12 },
  { share: 0.01, seconds: 5 },
  { share: 0.03, seconds: 8 },
  { share: 0.005, seconds: 3 },
  { share: 0.08, seconds: 6 },
  { share: 0.01, seconds: 2 },
  { share: 0.03, seconds: 1.2 },
] as const;
const heldOutCrossings = [
  { share: 0.1, seconds: 4 },
  { share: 0.007, seconds: 9 },
  { share: 0.02, seconds: 1.5 },
  { share: 0.005, seconds: 6 },
  { share: 0.05, seconds: 3 },
] as const;
const gapSeconds = 14;

/** A person's shape, and a gray that is neither the street's nor near it. */
function boxes({ width, height, seconds, begin: first = 30, isHeldOut = false }: SleepScene): {
  sources: string[];
  chain: string;
} {
  const all = isHeldOut ? heldOutCrossings : crossings;
  const [pathStep, grays] = isHeldOut ? [53, ['0xb8b8b8', '0x303030']] : [37, ['0xe0e0e0', '0x181818']];
  const sources: string[] = [];
  let chain = '[noisy0]null';
  const lastSeconds = first < 30 ? 4 : 20;
  let begin = first;
  for (let index = 0; begin < seconds - lastSeconds; index += 1) {
    const { share, seconds: duration } = all[index % all.length] ?? all[0];
    const tall = Math.round(Math.sqrt(share * width * height * 2));
    const wide = Math.round(tall / 2);
    const y = Math.round((height - tall) * (((index * pathStep) % 100) / 100));
    const color = grays[index % 2];
    sources.push(`color=c=${color}:s=${wide}x${tall}:r=${sceneFramesPerSecond}[box${index}]`);
    const x = `(t-${begin})/${duration}*${width + wide}-${wide}`;
    chain += `[on${index}];[on${index}][box${index}]overlay=x='${x}':y=${y}:shortest=0:enable='between(t,${begin},${begin + duration})'`;
    begin += duration + gapSeconds;
  }
  return { sources, chain };
}

const run = promisify(execFile);

/** @returns the file, which is made once and kept. */
export async function sleepClip(scene: SleepScene): Promise<string> {
  const { width, height, noise, group, rate, seconds, isQuiet, name, contrast } = scene;
  const { sources, chain } = boxes(scene);
  const street = `[0:v]select=eq(n\\,0),scale=${width}:${height},loop=-1:1,setpts=N/${sceneFramesPerSecond}/TB,fps=${sceneFramesPerSecond}[noisy0]`;
  const moving = isQuiet ? '[noisy0]null' : chain;
  const filter = [
    street,
    ...(isQuiet ? [] : sources),
    `${moving}${contrast === undefined ? '' : `,eq=contrast=${contrast}`},noise=c0s=${noise}:c0f=t+u,format=yuv420p[out]`,
  ];
  const usual = '-c:v libx264 -preset veryfast -threads 2 -sc_threshold 0 -bf 0'.split(' ');
  const encoder = [...(scene.encoder ?? usual), '-g', String(group)];
  const how = [
    '-filter_complex',
    filter.join(';'),
    '-map',
    '[out]',
    '-t',
    String(seconds),
    ...encoder,
    ...rate,
  ];
  const key = createHash('sha256').update(JSON.stringify(how)).digest('hex').slice(0, 8);
  const file = join(cacheFolder, `${key}-sleep-${name}.mp4`);
  if (existsSync(file)) return file;
  await mkdir(cacheFolder, { recursive: true });
  const making = `${file}.making.mp4`;
  await run('ffmpeg', ['-nostdin', '-y', '-loglevel', 'error', '-i', clip('vtest.avi'), ...how, making]);
  await rename(making, file);
  return file;
}

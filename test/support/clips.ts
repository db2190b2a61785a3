import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

/**
 * Real video for cameras and detectors, made once and kept in the user's cache folder.
 *
 * Two clips come out of Debian's package opencv-doc: `vtest` (pedestrians and cars on a street, 768×576,
 * 10 frames/s, 79.5 s) and `tree` (a tree in the wind, nobody there, 320×240, 15 frames/s, 30 s). The others
 * are made of `vtest`, in H.264 as cameras send it: no B-frames, a key frame each second.
 */
const originals = {
  'vtest.avi': '45cddc9490be69345cbdab64ca583be65987e864ca408038e648db99e10516cf',
  'tree.avi': '4666099d0f704e310047b2f0a5ec9f936cb76a7271de9a2e70a0c57f82ac82dc',
} as const;

type Original = keyof typeof originals;

interface Recipe {
  readonly from: Original;
  /** Arguments of ffmpeg between its input and its output. */
  readonly arguments: readonly string[];
}

const h264 = (keyFrameEvery: number, quality: number) =>
  `-an -c:v libx264 -preset veryfast -crf ${quality} -bf 0 -g ${keyFrameEvery} -sc_threshold 0 -pix_fmt yuv420p`.split(
    ' ',
  );
/** Half as fast again, so that each of the 15 frames a second differs from the one before. */
const at15 = (size: string, keyFrameEvery = 15) => [
  '-t',
  '30',
  '-vf',
  `setpts=N/15/TB,scale=${size}`,
  '-r',
  '15',
  ...h264(keyFrameEvery, 23),
];

const recipes = {
  /** 768×576, 10 frames/s, 79.5 s. */
  'vtest.mp4': { from: 'vtest.avi', arguments: h264(10, 20) },
  /** The same after twelve seconds of its first picture, in which nothing moves. */
  'vtest-quiet.mp4': {
    from: 'vtest.avi',
    arguments: ['-vf', 'tpad=start_mode=clone:start_duration=12', ...h264(10, 20)],
  },
  /** The same at 640×360, as a camera's sub stream. */
  'vtest-sub.mp4': { from: 'vtest.avi', arguments: ['-vf', 'scale=640:360', ...h264(10, 23)] },
  /** 320×240, 15 frames/s, 30 s: movement, but nobody. */
  'tree.mp4': { from: 'tree.avi', arguments: ['-r', '15', ...h264(15, 20)] },
  /** 1920×1080, 15 frames/s, 30 s: what a benchmark's cameras send. */
  'street-1080.mp4': { from: 'vtest.avi', arguments: at15('1920:1080') },
  /** The same at 640×360. */
  'street-360.mp4': { from: 'vtest.avi', arguments: at15('640:360') },
  /** Both with a key frame every 2 s. */
  'street-1080-seldom.mp4': { from: 'vtest.avi', arguments: at15('1920:1080', 30) },
  'street-360-seldom.mp4': { from: 'vtest.avi', arguments: at15('640:360', 30) },
} as const satisfies Record<string, Recipe>;

export type Clip = Original | keyof typeof recipes;

export const testClips: readonly Clip[] = [
  'vtest.avi',
  'vtest.mp4',
  'vtest-quiet.mp4',
  'vtest-sub.mp4',
  'tree.mp4',
];
export const benchClips: readonly Clip[] = ['street-1080.mp4', 'street-360.mp4'];
export const seldomClips: readonly Clip[] = ['street-1080-seldom.mp4', 'street-360-seldom.mp4'];

const run = promisify(execFile);
export const cacheFolder = join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'sentrybus');

/** The clip's file. Its name holds its recipe, so that a clip of an older recipe is never taken for it. */
export function clip(name: Clip): string {
  return join(
    cacheFolder,
    isOriginal(name) ? name : `${digest(JSON.stringify(recipes[name])).slice(0, 8)}-${name}`,
  );
}

/**
 * Makes the clips that are missing.
 * @throws when Debian's mirror or ffmpeg cannot be used, or a clip is not the one it should be.
 */
export async function makeClips(names: readonly Clip[]): Promise<void> {
  const missing = names.filter((name) => !existsSync(clip(name)));
  if (missing.length === 0) return;
  await mkdir(cacheFolder, { recursive: true });
  // Beside the clips: each takes its place by a rename once it is whole.
  const work = await mkdtemp(join(cacheFolder, 'making-'));
  try {
    const sources = missing.map((name) => (isOriginal(name) ? name : recipes[name].from));
    if (sources.some((name) => !existsSync(clip(name)))) await takeOriginals(work);
    for (const name of missing) if (!isOriginal(name)) await encode(name, work);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function encode(name: keyof typeof recipes, work: string): Promise<void> {
  console.log(`Test clips: encoding ${name} …`);
  const { from, arguments: how } = recipes[name];
  const output = join(work, name);
  await run('ffmpeg', ['-nostdin', '-loglevel', 'error', '-i', clip(from), ...how, output]);
  await rename(output, clip(name));
}

async function takeOriginals(work: string): Promise<void> {
  console.log('Test clips: downloading Debian’s opencv-doc (95 MB) …');
  await download('opencv-doc', work);
  const archive = (await readdir(work)).find((name) => name.endsWith('.deb')) ?? '';
  const members = Object.keys(originals).map((name) => `./usr/share/doc/opencv-doc/examples/data/${name}`);
  const unpack = 'dpkg-deb --fsys-tarfile "$0" | tar --extract --strip-components=7 "$@"';
  await run('sh', ['-c', unpack, archive, ...members], { cwd: work });
  for (const [name, expected] of Object.entries(originals)) {
    const actual = digest(await readFile(join(work, name)));
    if (actual !== expected) throw new Error(`${name} of opencv-doc is not the known clip: sha256 ${actual}`);
    await rename(join(work, name), join(cacheFolder, name));
  }
}

/** Needs no rights: where the system's package lists are old or missing, it fetches lists of its own. */
async function download(name: string, work: string): Promise<void> {
  try {
    await run('apt-get', ['download', name], { cwd: work });
  } catch {
    const own = ['-o', `Dir::State::Lists=${work}/lists`, '-o', `Dir::Cache=${work}/cache`];
    await Promise.all(['lists/partial', 'cache'].map((path) => mkdir(join(work, path), { recursive: true })));
    await run('apt-get', [...own, 'update'], { cwd: work });
    await run('apt-get', [...own, 'download', name], { cwd: work });
  }
}

function isOriginal(name: Clip): name is Original {
  return name in originals;
}

function digest(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex');
}

import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { temporaryFolder } from './folder.ts';

const run = promisify(execFile);

const encoders = { h264: 'x264enc threads=1', h265: 'x265enc log-level=none' } as const;

/** A file with H.264 or H.265 in it: 320×240, a key frame every so many frames. */
export async function encode(
  frames: number,
  keyFrameEvery: number,
  options = 'tune=zerolatency',
  framesPerSecond = 10,
  codec: 'h264' | 'h265' = 'h264',
): Promise<string> {
  const path = join(await temporaryFolder(), 'encoded.mp4');
  const line =
    `videotestsrc num-buffers=${frames} pattern=ball ! video/x-raw,width=320,height=240,framerate=${framesPerSecond}/1` +
    ` ! ${encoders[codec]} key-int-max=${keyFrameEvery} ${options} ! ${codec}parse ! mp4mux ! filesink location=${path}`;
  await run('/usr/bin/env', ['gst-launch-1.0', '-q', ...words(line)]);
  return path;
}

/** A file whose H.264 changes its size: so many frames of each, ten a second, with a key frame each second. */
export async function encodeSizes(
  frames: number,
  sizes: readonly (readonly [number, number])[],
): Promise<string> {
  const folder = await temporaryFolder();
  const parts = await Promise.all(
    sizes.map(async ([width, height]) => {
      const path = join(folder, `${width}.h264`);
      const line =
        `videotestsrc num-buffers=${frames} pattern=ball ! video/x-raw,format=I420,width=${width},height=${height},framerate=10/1` +
        ` ! x264enc key-int-max=10 threads=1 tune=zerolatency speed-preset=ultrafast ! video/x-h264,stream-format=byte-stream ! filesink location=${path}`;
      await run('/usr/bin/env', ['gst-launch-1.0', '-q', ...words(line)]);
      return readFile(path);
    }),
  );
  const joined = join(folder, 'joined.h264');
  await writeFile(joined, Buffer.concat(parts));
  // A byte stream alone has no times, and MP4 has one size.
  const path = join(folder, 'sizes.ts');
  const options = `-nostdin -v error -fflags +genpts -r 10 -i ${joined} -c copy ${path}`;
  await run('ffmpeg', words(options));
  return path;
}

/** gst-launch takes a line as its arguments. */
function words(line: string): string[] {
  return line.split(' ');
}

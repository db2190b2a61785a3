import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { temporaryFolder } from './folder.ts';

const run = promisify(execFile);

/** A file with H.264 in it: 320×240, a key frame every so many frames. */
export async function encode(
  frames: number,
  keyFrameEvery: number,
  options = 'tune=zerolatency',
  framesPerSecond = 10,
): Promise<string> {
  const path = join(await temporaryFolder(), 'encoded.mp4');
  const line =
    `videotestsrc num-buffers=${frames} pattern=ball ! video/x-raw,width=320,height=240,framerate=${framesPerSecond}/1` +
    ` ! x264enc key-int-max=${keyFrameEvery} threads=1 ${options} ! h264parse ! mp4mux ! filesink location=${path}`;
  await run('/usr/bin/env', ['gst-launch-1.0', '-q', ...words(line)]);
  return path;
}

/** gst-launch takes a line as its arguments. */
function words(line: string): string[] {
  return line.split(' ');
}

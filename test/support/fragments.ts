import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Fragment, FragmentReader, type InitSegment } from '../../pipelines/mp4/fragment-reader.ts';
import { describePipelines } from '../../pipelines/pipeline-description.ts';
import { temporaryFolder } from './folder.ts';

const run = promisify(execFile);

/** What the pipelines' own muxer makes of a file with H.264 in it, as fast as it can. */
export async function muxFile(path: string): Promise<Buffer> {
  const output = join(await temporaryFolder(), 'muxed');
  const { launch } = describePipelines({ source: { kind: 'file', path, loop: false }, frames: {} }).main;
  const line = launch
    .replace('filesrc name=source', `filesrc location="${path}"`)
    .replace('clocksync ! ', '')
    .replace(/appsink .*/, `filesink location="${output}"`);
  await run('/usr/bin/env', ['gst-launch-1.0', '-q', ...words(line)]);
  return readFile(output);
}

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

export interface Cut {
  readonly init: InitSegment;
  readonly fragments: readonly Fragment[];
}

/** @param chunks the stream, in the pieces in which it arrives. */
export function cut(...chunks: readonly Buffer[]): Cut {
  const inits: InitSegment[] = [];
  const fragments: Fragment[] = [];
  const reader = new FragmentReader({
    onInit: (init) => inits.push(init),
    onFragment: (fragment) => fragments.push(fragment),
  });
  for (const chunk of chunks) reader.push(chunk);
  const [init] = inits;
  if (!init) throw new Error('no init came');
  return { init, fragments };
}

/** The same fragment at a time that takes 64 bits: its tfdt in version 1, four bytes more in it and around it. */
export function widen(fragment: Fragment, start: number): Fragment {
  const { moof, startField } = fragment;
  const at = startField.offset;
  const time = Buffer.alloc(8);
  time.writeBigUInt64BE(BigInt(start));
  const wide = Buffer.concat([moof.subarray(0, at), time, moof.subarray(at + 4)]);
  wide.writeUInt8(1, at - 4);
  for (const box of [0, wide.indexOf('traf') - 4, at - 12])
    wide.writeUInt32BE(wide.readUInt32BE(box) + 4, box);
  // What lies before the media has grown, so the media lies further on.
  const dataOffset = wide.indexOf('trun') + 12;
  wide.writeUInt32BE(wide.readUInt32BE(dataOffset) + 4, dataOffset);
  return { ...fragment, start, moof: wide, startField: { offset: at, bytes: 8 }, size: fragment.size + 4 };
}

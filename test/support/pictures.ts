import { spawn } from 'node:child_process';
import { type Clip, clip } from './clips.ts';

export interface TestPicture {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
  /** Seconds since the clip's beginning. */
  readonly time: number;
}

export interface PictureOptions {
  readonly width: number;
  readonly height: number;
  /** Pictures a second. */
  readonly rate: number;
  /** Seconds from the beginning; all of it when left out. */
  readonly length?: number;
  /** What ffmpeg does to them before they are scaled. */
  readonly filter?: string;
}

/** The pictures of a clip in RGB, decoded by ffmpeg, one after the other. */
export async function* picturesOf(name: Clip, options: PictureOptions): AsyncGenerator<TestPicture> {
  const { width, height, rate, length, filter } = options;
  const input = [...(length === undefined ? [] : ['-t', String(length)]), '-i', clip(name)];
  const filters = [
    `fps=${rate}:round=down`,
    ...(filter === undefined ? [] : [filter]),
    `scale=${width}:${height}`,
  ];
  const output = ['-vf', filters.join(','), '-f', 'rawvideo', '-pix_fmt', 'rgb24', '-'];
  const ffmpeg = spawn('ffmpeg', ['-nostdin', '-loglevel', 'error', ...input, ...output]);
  const size = width * height * 3;
  let rest: Buffer = Buffer.alloc(0);
  let number = 0;
  for await (const chunk of ffmpeg.stdout) {
    rest = Buffer.concat([rest, chunk as Buffer]);
    for (; rest.length >= size; rest = rest.subarray(size)) {
      yield { width, height, data: Uint8Array.from(rest.subarray(0, size)), time: number / rate };
      number += 1;
    }
  }
}

import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { indexOf } from '../../store/recordings/fragments/fragment-index.ts';
import { boxesIn, bytesOfBox } from '../../store/recordings/mp4/box-reader.ts';
import { readFragmentHeader } from '../../store/recordings/mp4/fragment-header.ts';

const run = promisify(execFile);

export interface Probe {
  /** What ffprobe complains of. */
  readonly errors: string;
  readonly codec: string | undefined;
  readonly height: number | undefined;
  readonly packets: readonly { readonly time: number; readonly key: boolean }[];
}

/** What ffprobe finds in a file's video. */
export async function probe(file: string): Promise<Probe> {
  const fields = 'stream=codec_name,height:packet=pts_time,flags';
  const { stdout, stderr } = await run(
    'ffprobe',
    ['-v', 'error', '-select_streams', 'v', '-show_entries', fields, '-of', 'json', file],
    { maxBuffer: 64 * 1024 * 1024 },
  );
  const { streams, packets } = JSON.parse(stdout) as {
    streams?: { codec_name: string; height: number }[];
    packets?: { pts_time: string; flags: string }[];
  };
  return {
    errors: stderr,
    codec: streams?.[0]?.codec_name,
    height: streams?.[0]?.height,
    packets: (packets ?? []).map(({ pts_time, flags }) => ({
      time: Number(pts_time),
      key: flags.startsWith('K'),
    })),
  };
}

/**
 * What a recording's whole fragments hold, by their headers: for tests that wait for it, because an ffprobe each time
 * would take a core.
 */
export async function contentOf(
  file: string,
): Promise<{ readonly pictures: number; readonly soundUntilSeconds: number }> {
  const data = await readFile(file).catch(() => Buffer.alloc(0));
  const boxes = boxesIn(data);
  const moov = boxes.find(({ type }) => type === 'moov');
  const movie = moov && indexOf(data.subarray(0, moov.end))?.movie;
  if (!movie) return { pictures: 0, soundUntilSeconds: 0 };
  const fragments = boxes
    .filter(({ type }, at) => type === 'moof' && boxes[at + 1]?.type === 'mdat')
    .map((moof) => readFragmentHeader(bytesOfBox(data, moof), movie));
  const sound = fragments.findLast((fragment) => fragment?.audio)?.audio;
  const soundTicks = (sound?.decodeTime ?? 0) + (sound?.durations ?? []).reduce((sum, each) => sum + each, 0);
  return {
    pictures: fragments.reduce((sum, fragment) => sum + (fragment?.video?.sizes.length ?? 0), 0),
    soundUntilSeconds: soundTicks / (movie.audio?.ticksPerSecond ?? 1),
  };
}

export const picturesIn = async (file: string): Promise<number> => (await contentOf(file)).pictures;

export interface TrackProbe {
  readonly codec: string | undefined;
  readonly packets: number;
}

/** What ffprobe counts in a file's video and audio. */
export async function tracksOf(
  file: string,
): Promise<{ readonly video: TrackProbe; readonly audio: TrackProbe }> {
  const entries = ['-count_packets', '-show_entries', 'stream=codec_type,codec_name,nb_read_packets'];
  const { stdout } = await run('ffprobe', ['-v', 'error', ...entries, '-of', 'json', file]);
  const { streams } = JSON.parse(stdout) as {
    streams: { codec_type: string; codec_name: string; nb_read_packets: string }[];
  };
  const of = (type: string): TrackProbe => {
    const stream = streams.find(({ codec_type }) => codec_type === type);
    return { codec: stream?.codec_name, packets: Number(stream?.nb_read_packets ?? 0) };
  };
  return { video: of('video'), audio: of('audio') };
}

/** A file's sound, as ffprobe and ffmpeg see it. */
export async function soundOf(file: string): Promise<{
  readonly codec: string | undefined;
  readonly sampleRate: number;
  /** From the first frame to the end of the last. */
  readonly seconds: number;
  readonly errors: string;
}> {
  const fields = 'stream=codec_name,sample_rate:packet=pts_time,duration_time';
  const { stdout, stderr } = await run(
    'ffprobe',
    ['-v', 'error', '-select_streams', 'a', '-show_entries', fields, '-of', 'json', file],
    { maxBuffer: 64 * 1024 * 1024 },
  );
  const { streams = [], packets = [] } = JSON.parse(stdout) as {
    streams?: { codec_name: string; sample_rate: string }[];
    packets?: { pts_time: string; duration_time: string }[];
  };
  const last = packets.at(-1);
  const end = Number(last?.pts_time ?? 0) + Number(last?.duration_time ?? 0);
  return {
    codec: streams[0]?.codec_name,
    sampleRate: Number(streams[0]?.sample_rate ?? 0),
    seconds: end - Number(packets[0]?.pts_time ?? 0),
    errors: stderr,
  };
}

/** How many of a file's pictures can be decoded, and what ffmpeg complains of while it tries. */
export async function decode(file: string): Promise<{ frames: number; errors: string }> {
  const { stdout, stderr } = await run('ffmpeg', [
    ...['-nostdin', '-v', 'error', '-i', file, '-threads', '1'],
    ...['-f', 'null', '-progress', '-', '-'],
  ]);
  return { frames: Number([...stdout.matchAll(/^frame=(\d+)$/gm)].at(-1)?.[1] ?? 0), errors: stderr };
}

import type { RecordingStream } from '../../bus/messages.ts';
import { boxesIn, childOf, findBox, type Mp4Box } from './mp4-boxes.ts';

const codecs: Readonly<Record<string, string>> = {
  ...{ avc1: 'h264', avc3: 'h264', hvc1: 'h265', hev1: 'h265', av01: 'av1' },
  ...{ mp4a: 'aac', Opus: 'opus' },
};

/** Of a VisualSampleEntry (ISO/IEC 14496-12, section 12.1.3), from where its content begins. */
const widthOffset = 24;
const heightOffset = 26;

/** The streams that a file's ftyp and moov announce; none where that cannot be understood. */
export function streamsIn(init: Buffer): RecordingStream[] {
  try {
    const { start, end } = findBox(init, ['moov']);
    const tracks = [...boxesIn(init, start, end)].filter(({ type }) => type === 'trak');
    return tracks.flatMap((track) => streamOf(init, track) ?? []);
  } catch {
    // A recording matters more than what is known of it.
    return [];
  }
}

function streamOf(init: Buffer, track: Mp4Box): RecordingStream | undefined {
  const inside = (...path: string[]) =>
    path.reduce<Mp4Box | undefined>((outer, type) => outer && childOf(init, outer, type), track);
  const table = inside('mdia', 'minf', 'stbl', 'stsd');
  // Version, flags and the number of entries come before the first of them.
  const [entry] = table ? boxesIn(init, table.start + 8, table.end) : [];
  if (!entry) return undefined;
  const codec = codecs[entry.type] ?? entry.type;
  if (!inside('mdia', 'minf', 'vmhd')) return { codec };
  return {
    codec,
    width: init.readUInt16BE(entry.start + widthOffset),
    height: init.readUInt16BE(entry.start + heightOffset),
  };
}

/** A part of a recording's file that begins with a key frame. Times are Unix times in microseconds. */
export interface IndexedSegment {
  /** The address of the file. */
  readonly file: string;
  /** Bytes of its beginning that every part of it needs. */
  readonly initBytes: number;
  readonly offset: number;
  readonly bytes: number;
  readonly start: number;
  readonly end: number;
}

/** Reads what the recorder's own playlists say (RFC 8216): where the parts of recordings are, and of which time. */
export function readPlaylist(text: string, address: string): IndexedSegment[] {
  const segments: IndexedSegment[] = [];
  let [initBytes, time, length] = [0, 0, 0];
  let range: readonly [bytes: number, offset: number] = [0, 0];
  for (const line of text.split('\n')) {
    const [, tag = '', value = ''] = /^#(EXT[\w-]*):?(.*)$/.exec(line) ?? [];
    if (tag === 'EXT-X-MAP') initBytes = Number(/BYTERANGE="(\d+)@0"/.exec(value)?.[1] ?? 0);
    else if (tag === 'EXT-X-PROGRAM-DATE-TIME') time = Date.parse(value) * 1000;
    else if (tag === 'EXTINF') length = Math.round(Number.parseFloat(value) * 1e6);
    else if (tag === 'EXT-X-BYTERANGE') {
      const [bytes = 0, offset = 0] = value.split('@').map(Number);
      range = [bytes, offset];
    } else if (line !== '' && !line.startsWith('#')) {
      const file = new URL(line, address).pathname;
      const [bytes, offset] = range;
      segments.push({ file, initBytes, offset, bytes, start: time, end: time + length });
      time += length;
    }
  }
  return segments;
}

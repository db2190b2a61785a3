import { box, fullBox, u16, u32 } from '../../bus/base/box-writer.ts';
import type { RecordingStream } from '../../bus/messages.ts';
import type { AudioConfig } from '../codecs/aac.ts';
import type { VideoConfig } from '../codecs/nal-unit.ts';
import { videoTicksPerSecond } from '../media/unit.ts';
import { audioSampleEntry, videoSampleEntry } from './sample-entry.ts';

export const videoTrackID = 1;
export const audioTrackID = 2;

/** The tracks of a file, and the init segment that describes them. */
export interface Layout {
  readonly video: VideoConfig;
  readonly audio: AudioConfig | undefined;
  /** `ftyp` and `moov`. */
  readonly init: Buffer;
}

/** The tracks of a file, as its reports name them. */
export function streamsOf({ video, audio }: Layout): RecordingStream[] {
  const { codec, width, height } = video;
  return [{ codec, width, height }, ...(audio ? [{ codec: audio.codec }] : [])];
}

/** Makes the beginning of a fragmented MP4 file (ISO/IEC 14496-12, section 8.8). */
export function makeLayout(video: VideoConfig, audio: AudioConfig | undefined): Layout {
  const tracks = [
    track(videoTrackID, videoTicksPerSecond, 'vide', videoSampleEntry(video), [video.width, video.height]),
    ...(audio ? [track(audioTrackID, audio.sampleRate, 'soun', audioSampleEntry(audio), [0, 0])] : []),
  ];
  const ids = audio ? [videoTrackID, audioTrackID] : [videoTrackID];
  return { video, audio, init: initSegment(tracks, ids) };
}

/** The init segment of sound without a picture, which keeps its track's number. */
export function makeSoundInit(audio: AudioConfig): Buffer {
  const sound = track(audioTrackID, audio.sampleRate, 'soun', audioSampleEntry(audio), [0, 0]);
  return initSegment([sound], [audioTrackID]);
}

function initSegment(tracks: readonly Buffer[], ids: readonly number[]): Buffer {
  return Buffer.concat([
    box('ftyp', Buffer.from('iso6', 'latin1'), u32(0), Buffer.from('iso6mp41', 'latin1')),
    box(
      'moov',
      fullBox(
        'mvhd',
        0,
        0,
        u32(0, 0, 1000, 0),
        u32(0x0001_0000),
        u16(0x0100, 0),
        u32(0, 0),
        matrix,
        preDefined,
        u32(Math.max(...ids) + 1),
      ),
      ...tracks,
      box('mvex', ...ids.map((id) => fullBox('trex', 0, 0, u32(id, 1, 0, 0, 0)))),
    ),
  ]);
}

const matrix = u32(0x0001_0000, 0, 0, 0, 0x0001_0000, 0, 0, 0, 0x4000_0000);
const preDefined = Buffer.alloc(24);
/** "und", three letters of five bits. */
const undetermined = 0x55c4;
const enabledAndInMovie = 3;

function track(
  id: number,
  ticksPerSecond: number,
  handler: 'vide' | 'soun',
  sampleEntry: Buffer,
  [width, height]: readonly [number, number],
): Buffer {
  const volume = handler === 'soun' ? 0x0100 : 0;
  const mediaHeader =
    handler === 'vide' ? fullBox('vmhd', 0, 1, Buffer.alloc(8)) : fullBox('smhd', 0, 0, Buffer.alloc(4));
  const samples = box(
    'stbl',
    fullBox('stsd', 0, 0, u32(1), sampleEntry),
    ...['stts', 'stsc'].map((type) => fullBox(type, 0, 0, u32(0))),
    fullBox('stsz', 0, 0, u32(0, 0)),
    fullBox('stco', 0, 0, u32(0)),
  );
  const inThisFile = box('dinf', fullBox('dref', 0, 0, u32(1), fullBox('url ', 0, 1)));
  return box(
    'trak',
    fullBox(
      'tkhd',
      0,
      enabledAndInMovie,
      ...[u32(0, 0, id, 0, 0, 0, 0), u16(0, 0, volume, 0), matrix, u16(width, 0, height, 0)],
    ),
    box(
      'mdia',
      fullBox('mdhd', 0, 0, u32(0, 0, ticksPerSecond, 0), u16(undetermined, 0)),
      fullBox('hdlr', 0, 0, u32(0), Buffer.from(handler, 'latin1'), Buffer.alloc(12 + 1)),
      box('minf', mediaHeader, inThisFile, samples),
    ),
  );
}

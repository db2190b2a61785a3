import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { MachineStart } from '../../bus/base/machine-clock.ts';
import { parseAudioConfig } from '../../pipelines/codecs/aac.ts';
import { AacPayload } from '../../pipelines/depayload/aac-payload.ts';
import type { MediaPacket } from '../../pipelines/depayload/media-packet.ts';
import { VideoTrack } from '../../pipelines/media/video-track.ts';
import { Fragmenter } from '../../pipelines/mp4/fragmenter.ts';
import type { MediaFragment } from '../../pipelines/mp4/media-fragment.ts';
import { movieFragment } from '../../pipelines/mp4/movie-fragment.ts';
import { temporaryFolder } from './folder.ts';

export interface Tracks {
  readonly codec?: 'h264' | 'h265';
  readonly video: readonly MediaPacket[];
  /** AAC of 16 kHz. */
  readonly audio?: readonly MediaPacket[];
  /** It is known from the beginning that no audio comes. */
  readonly isVideoOnly?: boolean;
}

/** The fragments that a camera's packets become, in the order of their arrival. */
export function fragmentsOf({
  codec = 'h264',
  video,
  audio = [],
  isVideoOnly = false,
}: Tracks): MediaFragment[] {
  const fragments: MediaFragment[] = [];
  const fragmenter = new Fragmenter({
    onFragment: (fragment) => fragments.push(fragment),
    onLayout: () => {},
  });
  if (isVideoOnly) fragmenter.expectNoAudio();
  const track = new VideoTrack({
    ...{ codec, ticksPerSecond: 90_000, onJump: () => {} },
    onUnit: (unit) => fragmenter.pushVideo(unit),
  });
  const config = parseAudioConfig(Buffer.from('1408', 'hex'));
  const payload = new AacPayload({ sizeLength: 13, indexLength: 3, indexDeltaLength: 3, frameTicks: 1024 });
  const all = [
    ...video.map((packet) => ({ packet, isVideo: true })),
    ...audio.map((packet) => ({ packet, isVideo: false })),
  ].sort((a, b) => a.packet.arrivedMs - b.packet.arrivedMs);
  for (const { packet, isVideo } of all) {
    if (isVideo) track.push(packet);
    else
      for (const { data, timestamp } of payload.push(packet))
        fragmenter.pushAudio({ config, data, time: 16_000 + timestamp });
  }
  track.flush();
  fragmenter.end();
  return fragments;
}

/**
 * A file of these fragments, which have one layout.
 *
 * @param timeOf when a fragment's first picture was taken, Unix time in microseconds, if the fragments are to say so
 * @param machine the clock of that time
 */
export function fileBytes(
  fragments: readonly MediaFragment[],
  timeOf?: (fragment: MediaFragment) => number,
  machine?: MachineStart,
): Buffer {
  const [first] = fragments;
  if (!first) return Buffer.alloc(0);
  const origin = first.video[0]?.decodeTime ?? 0;
  const written = fragments.flatMap((fragment, index) =>
    movieFragment(fragment, index + 1, origin, timeOf && { timeUs: timeOf(fragment), machine }),
  );
  return Buffer.concat([first.layout.init, ...written]);
}

export async function writeFragments(fragments: readonly MediaFragment[]): Promise<string> {
  const path = join(await temporaryFolder(), 'recorded.mp4');
  await writeFile(path, fileBytes(fragments));
  return path;
}

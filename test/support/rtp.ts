import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { MediaPacket } from '../../pipelines/depayload/media-packet.ts';
import { readGdp } from '../../pipelines/gstreamer/gdp.ts';
import { temporaryFolder } from './folder.ts';

const run = promisify(execFile);
const gdpHeaderBytes = 62;

/** The RTP packets that a gst-launch line ends in, up to its payloader. */
export async function packetsOf(line: string): Promise<Buffer[]> {
  const path = join(await temporaryFolder(), 'packets');
  await run('/usr/bin/env', [
    'gst-launch-1.0',
    '-q',
    ...`${line} ! gdppay ! filesink location=${path}`.split(' '),
  ]);
  const data = await readFile(path);
  const packets: Buffer[] = [];
  for (let at = 0; at < data.length; ) {
    const end = at + gdpHeaderBytes + data.readUInt32BE(at + 6);
    const packet = readGdp(data.subarray(at, end));
    if (packet?.data) packets.push(packet.data);
    at = end;
  }
  return packets;
}

export interface EncodeOptions {
  readonly frames?: number;
  readonly rate?: number;
  readonly width?: number;
  readonly height?: number;
  readonly keyFrameEvery?: number;
  /** Of x264enc or x265enc. */
  readonly options?: string;
  readonly payloader?: string;
}

/** A moving ball, encoded and packed as a camera does it. */
export function videoPackets(
  codec: 'h264' | 'h265',
  {
    frames = 50,
    rate = 10,
    width = 320,
    height = 240,
    keyFrameEvery = 10,
    options = 'tune=zerolatency',
    payloader = 'mtu=400',
  }: EncodeOptions = {},
): Promise<Buffer[]> {
  const encoder = codec === 'h264' ? `x264enc threads=1 ${options}` : `x265enc log-level=none ${options}`;
  // Left alone, x264enc is asked for a profile without B-frames.
  const profile = codec === 'h264' ? ' ! video/x-h264,profile=high' : '';
  return packetsOf(
    `videotestsrc num-buffers=${frames} pattern=ball ! video/x-raw,format=I420,width=${width},height=${height},framerate=${rate}/1` +
      ` ! ${encoder} key-int-max=${keyFrameEvery}${profile} ! ${codec}parse ! rtp${codec}pay config-interval=-1 ${payloader}`,
  );
}

/** As the RTSP client hands packets on. Each arrives when its picture is shown, or with the one before. */
export function mediaPackets(packets: readonly Buffer[], ticksPerSecond = 90_000): MediaPacket[] {
  const base = packets[0]?.readUInt32BE(4) ?? 0;
  let newest = 0;
  return packets.map((data) => {
    const timestamp = (data.readUInt32BE(4) - base) | 0;
    newest = Math.max(newest, timestamp);
    return {
      data,
      payloadBegin: 12,
      payloadEnd: data.length,
      marker: (data.readUInt8(1) & 0x80) !== 0,
      timestamp,
      arrivedMs: 1000 + (newest * 1000) / ticksPerSecond,
      lostBefore: 0,
    };
  });
}

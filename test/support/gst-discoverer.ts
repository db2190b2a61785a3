import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect } from 'vitest';

const run = promisify(execFile);

const script = `
import json, sys, gi
gi.require_version('Gst', '1.0')
gi.require_version('GstPbutils', '1.0')
from gi.repository import Gst, GstPbutils
Gst.init(None)
info = GstPbutils.Discoverer.new(20 * Gst.SECOND).discover_uri('file://' + sys.argv[1])
print(json.dumps({
    'result': info.get_result().value_nick, 'seconds': info.get_duration() / Gst.SECOND,
    'isSeekable': info.get_seekable(),
    'video': len(info.get_video_streams()), 'audio': len(info.get_audio_streams())}))
`;

/** What GStreamer's players find in a file before they play it, as `gst-discoverer-1.0` prints it. */
interface Discovery {
  /** `ok`, or what is wrong. */
  readonly result: string;
  readonly seconds: number;
  readonly isSeekable: boolean;
  /** Numbers of streams. */
  readonly video: number;
  readonly audio: number;
}

async function discover(file: string): Promise<Discovery> {
  const { stdout } = await run('/usr/bin/python3', ['-c', script, file]);
  return JSON.parse(stdout) as Discovery;
}

/** Expects that GStreamer's players take a file as a whole clip: they can seek in it, and it has a video and so much sound. */
export async function expectClip(file: string, audio: 0 | 1): Promise<void> {
  expect(await discover(file)).toMatchObject({ result: 'ok', isSeekable: true, video: 1, audio });
}

import type { PipelineMessage } from './gstreamer.ts';
import type { PipelineEnd, VideoSource } from './pipeline-protocol.ts';

type Trouble = Extract<PipelineMessage, { type: 'error' | 'warning' }>;

/** What ends a session, in the words of the people who have to act. Pure: it only translates. */

/** @returns undefined for a warning that ends nothing. */
export function endOf(
  message: Trouble,
  kind: VideoSource['kind'],
  streaming: boolean,
): PipelineEnd | undefined {
  if (message.type === 'warning') return endOfWarning(message);
  if (message.rtspStatus !== 0) return endOfStatus(message.rtspStatus, streaming);
  if (message.debug.includes('not-linked')) return noVideo(kind);
  if (message.element !== 'source') return { reason: 'broken', detail: cause(message) };
  if (kind === 'file') return { reason: 'not_found', detail: cause(message) };
  if (kind === 'test') return { reason: 'failed', detail: cause(message) };
  if (streaming) return { reason: 'lost', detail: `the connection broke: ${cause(message)}` };
  return { reason: 'unreachable', detail: `the camera cannot be reached: ${cause(message)}` };
}

/** @param offered the caps of a video stream that the camera offers instead: `application/x-rtp, …`. */
export function noVideo(kind: VideoSource['kind'], offered = ''): PipelineEnd {
  const who = kind === 'file' ? 'the file' : 'the camera';
  const codec = /encoding-name=\(string\)"?([\w.-]+)/.exec(offered)?.[1];
  return {
    reason: 'no_video',
    detail: codec ? `${who} offers ${codec} video, not H.264` : `${who} offers no H.264 video`,
  };
}

/** What is known when nothing comes. */
export function endOfSilence({ agreed, streaming }: { agreed: boolean; streaming: boolean }): PipelineEnd {
  if (streaming) return { reason: 'silent', detail: 'no video for 5 s' };
  if (agreed) return { reason: 'silent', detail: 'connected, but no video came within 10 s' };
  return { reason: 'unreachable', detail: 'no answer within 10 s' };
}

export const endOfStream: Readonly<Record<VideoSource['kind'], PipelineEnd>> = {
  rtsp: { reason: 'lost', detail: 'the camera closed the connection' },
  file: { reason: 'finished', detail: 'the file has been played' },
  test: { reason: 'failed', detail: 'the test picture ended' },
};

function endOfWarning({ debug }: Trouble): PipelineEnd | undefined {
  if (debug.includes('server closed the connection')) return endOfStream.rtsp;
  return undefined;
}

function endOfStatus(status: number, streaming: boolean): PipelineEnd {
  // Its login was accepted: the session is over, the password is right.
  if (streaming) return { reason: 'lost', detail: `the camera ended the session with RTSP status ${status}` };
  switch (status) {
    case 401:
    case 403:
      return { reason: 'unauthorized', detail: 'wrong user name or password' };
    case 404:
      return { reason: 'not_found', detail: 'the camera has no such stream' };
    default:
      return { reason: 'unreachable', detail: `the camera refuses with RTSP status ${status}` };
  }
}

/** GStreamer's cause stands in the last line of its message for developers: `Failed to connect. (Generic error)`. */
function cause({ text, debug }: Trouble): string {
  return debug.split('\n').slice(1).join(' ').trim() || text;
}

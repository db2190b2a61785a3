import { formatMessage, header, type RtspMessage } from './rtsp-message.ts';

const methods = new Set(['OPTIONS', 'GET_PARAMETER', 'SET_PARAMETER', 'ANNOUNCE']);

/** @returns the answer to what a camera asks: it may end the session if it hears nothing. */
export function answerTo(request: RtspMessage): Buffer {
  const isKnown = methods.has(request.method ?? '');
  return formatMessage(isKnown ? 'RTSP/1.0 200 OK' : 'RTSP/1.0 501 Not Implemented', {
    CSeq: header(request, 'cseq'),
    Public: 'OPTIONS, GET_PARAMETER',
  });
}

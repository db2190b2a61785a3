/** Each is one of the reasons for which a pipeline session ends. */
export type RtspErrorCode =
  /** No connection, no answer in time, or an answer that refuses. */
  | 'unreachable'
  /** The camera wants a login that it was not given, that is wrong, or that we do not speak. */
  | 'unauthorized'
  | 'not_found'
  /** The camera's description holds no track. */
  | 'no_video'
  /** The camera closed the connection while it played. */
  | 'lost'
  /** It plays, and nothing comes. */
  | 'silent'
  /** The camera sends something that cannot be parsed, or that nothing can be made of. */
  | 'broken';

/** The message is a sentence for people. It holds no credentials, and no text of the camera's but checked words. */
export class RtspError extends Error {
  override readonly name = 'RtspError';
  readonly code: RtspErrorCode;
  /** The RTSP status of the answer, where an answer is the reason. */
  readonly status: number | undefined;

  constructor(code: RtspErrorCode, message: string, status?: number) {
    super(message);
    this.code = code;
    this.status = status;
  }
}

/** @returns what an answer means that is not a success. */
export function refusal(method: string, status: number): RtspError {
  const says = (code: RtspErrorCode, text: string) => new RtspError(code, text, status);
  switch (status) {
    case 401:
      return says('unauthorized', 'wrong user name or password');
    case 403:
      return says('unauthorized', `the camera forbids ${method} (RTSP status 403)`);
    case 404:
    case 410:
      return says('not_found', 'the camera has no such stream');
    case 453:
    case 503:
      return says('unreachable', `the camera is too busy for ${method} (RTSP status ${status})`);
    default:
      return says('unreachable', `the camera refuses ${method} with RTSP status ${status}`);
  }
}

/** @returns what any error means that something sent by the camera has led to: the end of its connection alone. */
export function unreadable(error: unknown): RtspError {
  if (error instanceof RtspError) return error;
  return new RtspError('broken', `nothing can be made of what the camera sends: ${(error as Error).message}`);
}

/** @returns what the end of a connection means for a request: while nothing plays, the camera cannot be reached. */
export function unanswered(method: string, { code, message }: RtspError): RtspError {
  if (code !== 'lost') return new RtspError(code, message);
  return new RtspError('unreachable', `${message} before the answer to ${method}`);
}

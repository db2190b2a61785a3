import contentDisposition from 'content-disposition';
import fresh from 'fresh';
import parseRange from 'range-parser';
import { downloadOf } from '../request/download.ts';
import { HttpError } from '../request/http-error.ts';
import type { RouteAnswer, RouteCall } from '../request/route.ts';
import type { OpenLimit } from './open-limit.ts';

/** Content of a known length, any part of which can be read. */
export interface ByteContent {
  readonly type: string;
  readonly length: number;
  /** A strong validator; undefined while the content grows. [RFC 9110 8.8.3] */
  readonly etag: string | undefined;
  /** Unix time in milliseconds. */
  readonly modifiedMs?: number;
  /** The name under which a browser saves it. */
  readonly fileName: string;
  /** Reads `from` to before `to`. */
  read(from: number, to: number): AsyncGenerator<Uint8Array>;
  /** Is called unless it is read to its end or its reading is ended. Safe to call twice. */
  close(): Promise<void>;
}

type Headers = RouteCall['headers'];
type Call = Pick<RouteCall, 'headers' | 'caller'>;

/**
 * Answers a request for content: whole or a range of it, or that it is unchanged. Several ranges at once are answered with
 * the whole. [RFC 9110 sections 13 and 14]
 *
 * @param limit bounds how many answers are read at once.
 * @throws {HttpError} `range_not_satisfiable`, `unavailable`
 */
export async function byteAnswer(content: ByteContent, call: Call, limit: OpenLimit): Promise<RouteAnswer> {
  try {
    return await answerOpen(content, call, limit);
  } catch (error) {
    await content.close();
    throw error;
  }
}

async function answerOpen(
  content: ByteContent,
  { headers: requested, caller }: Call,
  limit: OpenLimit,
): Promise<RouteAnswer> {
  const { length, etag, modifiedMs, type, fileName } = content;
  const modified = modifiedMs === undefined ? undefined : new Date(modifiedMs).toUTCString();
  const headers: Record<string, string> = {
    'Accept-Ranges': 'bytes',
    'Cache-Control': 'private, no-cache',
    'Content-Disposition': contentDisposition(fileName, { type: 'inline' }),
    ...(etag !== undefined && { ETag: etag }),
    ...(etag !== undefined && modified !== undefined && { 'Last-Modified': modified }),
  };
  if (etag !== undefined && fresh(requested, { etag, 'last-modified': modified })) {
    await content.close();
    return { status: 304, headers };
  }
  const range = rangeOf(requested, length, [etag, modified]);
  if (range === 'unsatisfiable') {
    const contentRange = { 'Content-Range': `bytes */${length}` };
    throw new HttpError('range_not_satisfiable', `It has ${length} bytes.`, { headers: contentRange });
  }
  const [from, to] = range ? [range.start, range.end + 1] : [0, length];
  return {
    status: range ? 206 : 200,
    type,
    headers: {
      ...headers,
      'Content-Length': String(to - from),
      ...(range && { 'Content-Range': `bytes ${range.start}-${range.end}/${length}` }),
    },
    body: await downloadOf(counted(content.read(from, to), limit.enter(caller.id))),
  };
}

async function* counted(pieces: AsyncGenerator<Uint8Array>, leave: () => void): AsyncGenerator<Uint8Array> {
  try {
    yield* pieces;
  } finally {
    leave();
  }
}

/** @returns undefined if the whole is to be sent. */
function rangeOf(
  { range, 'if-range': condition }: Headers,
  length: number,
  validators: readonly (string | undefined)[],
): { readonly start: number; readonly end: number } | 'unsatisfiable' | undefined {
  // Another unit or form is ignored. [RFC 9110 14.2]
  if (typeof range !== 'string' || !/^bytes=[\d,\s-]+$/.test(range)) return undefined;
  if (condition !== undefined && !validators.includes(String(condition))) return undefined;
  const ranges = parseRange(length, range, { combine: true });
  if (ranges === -1) return 'unsatisfiable';
  if (ranges === -2 || ranges.length !== 1) return undefined;
  return ranges[0];
}

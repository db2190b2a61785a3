import { redactUrls } from '../../bus/base/redact.ts';
import { StoreError } from '../../store/base/store-error.ts';
import { type ErrorCode, HttpError } from './http-error.ts';

const storeCodes = {
  invalid: 'invalid_value',
  not_found: 'not_found',
  conflict: 'conflict',
  busy: 'unavailable',
  no_majority: 'no_majority',
  io: 'storage_failed',
} as const satisfies Record<StoreError['code'], ErrorCode>;

const frameworkCodes: Readonly<Record<number, [ErrorCode, string]>> = {
  400: ['malformed_request', 'The request is malformed.'],
  404: ['not_found', 'There is nothing here.'],
  408: ['request_timeout', 'The request took too long to arrive.'],
  413: ['too_large', 'The body is over 2 MB, or over 16 kB without login.'],
  414: ['malformed_request', 'The path is too long.'],
  415: ['unsupported_media_type', 'Send the body as application/json.'],
  431: ['headers_too_large', 'The headers are over 16 kB.'],
  503: ['unavailable', 'The server is stopping.'],
};

/** The error that a client gets for a thrown value. An unexpected error becomes `internal`, without its message. */
export function toHttpError(error: unknown): HttpError {
  if (error instanceof HttpError) return error;
  if (error instanceof StoreError) {
    const { code, pointer, message } = error;
    const detail = pointer
      ? `${pointer}: ${message}.`
      : `${message.charAt(0).toUpperCase()}${message.slice(1)}.`;
    return new HttpError(storeCodes[code], detail, {
      ...(pointer !== undefined && { pointer }),
      ...((code === 'busy' || code === 'no_majority') && { headers: { 'Retry-After': '5' } }),
      cause: error,
    });
  }
  const status = (error as { statusCode?: unknown } | null)?.statusCode;
  const known = typeof status === 'number' ? frameworkCodes[status] : undefined;
  // The framework's own message is left out because it may quote the request.
  if (known) return new HttpError(known[0], known[1], { cause: error });
  return new HttpError('internal', 'The server failed; see its log.', { cause: error });
}

/** One line for the log about an error's cause, with credentials in URLs masked. */
export function describeCause(error: unknown): string {
  const cause = error instanceof HttpError ? (error.cause ?? error) : error;
  const text = cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause);
  const inner = cause instanceof Error && cause.cause instanceof Error ? ` (${cause.cause.message})` : '';
  return redactUrls(`${text}${inner}`);
}

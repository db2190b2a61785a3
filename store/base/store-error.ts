export type StoreErrorCode = 'invalid' | 'not_found' | 'conflict' | 'io';

/**
 * A change or a read that the store refuses or cannot do. The message is fit for a client: it holds no secret
 * and no path outside the project's folders.
 *
 * - `invalid`: the input has a wrong shape or value; `pointer` names the field.
 * - `not_found`: there is no such account or monitor.
 * - `conflict`: the input is well formed, but does not go with what is stored.
 * - `io`: the disk or the database failed; `cause` tells more. What was stored before is still there.
 */
export class StoreError extends Error {
  override readonly name = 'StoreError';
  readonly code: StoreErrorCode;
  /** JSON pointer (RFC 6901) of the bad field. */
  readonly pointer?: string;

  constructor(code: StoreErrorCode, message: string, options: { pointer?: string; cause?: unknown } = {}) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined);
    this.code = code;
    if (options.pointer !== undefined) this.pointer = options.pointer;
  }
}

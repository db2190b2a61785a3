export type StoreErrorCode = 'invalid' | 'not_found' | 'conflict' | 'busy' | 'no_majority' | 'io';

/**
 * A change or a read that the store refuses or fails to do. The message may be shown to clients: it contains no secret
 * and no path outside the project's folders.
 *
 * - `invalid`: the input has a wrong shape or value; `pointer` names the field.
 * - `not_found`: there is no such account or monitor.
 * - `conflict`: the input is well formed but contradicts stored data.
 * - `busy`: too many others ask for the same; it may work in a moment.
 * - `no_majority`: of several machines, too few are there to agree on a change.
 * - `io`: the disk or the database failed, see `cause`. Stored data is unchanged.
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

/** The error of a statement in SQL that is wrong, or refused. */
export const invalidStatement = (message: string) => new StoreError('invalid', message, { pointer: '/sql' });

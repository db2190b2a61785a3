/** Callers that a route admits: anyone, every account, or admins only. */
export type Access = 'public' | 'user' | 'admin';

/** The account behind a request that the gate admitted. */
export interface Caller {
  readonly id: string;
  readonly username: string;
  readonly isAdmin: boolean;
  /** The ids of the only monitors that it may see; undefined is all. */
  readonly monitors: readonly string[] | undefined;
  /**
   * Whether it may see a monitor, and all that comes from it. To a caller that may not, it must look as if there were no such
   * monitor: the answer for one that it may not see is that for one that does not exist.
   */
  maySee(monitorID: string): boolean;
  /** Undefined if the caller logged in by basic auth. Times are Unix times in milliseconds. */
  readonly session:
    | { readonly id: string; readonly createdMs: number; readonly expiresMs: number }
    | undefined;
  /** The CSRF token that this caller's requests must carry. */
  readonly token: string | undefined;
  /**
   * Whether the caller is still admitted, for connections that outlive their request: `changed` if the account was
   * deleted or changed in any way, or the session has ended, `demoted` if it is no longer an admin. Cheap enough to call for every frame.
   */
  standing(): 'admitted' | 'changed' | 'demoted';
}

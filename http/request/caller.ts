/** Who may: everybody, every account, or admins only. */
export type Access = 'public' | 'user' | 'admin';

/** Whoever made a request that the gate let through. */
export interface Caller {
  readonly id: string;
  readonly username: string;
  readonly isAdmin: boolean;
  /** The CSRF token that this caller's requests must carry. */
  readonly token: string | undefined;
  /**
   * What is left of the admission, for connections that outlive their request: `changed` when the account is gone
   * or anything about it was changed, `demoted` when it is no longer an admin. Cheap enough for every frame.
   */
  standing(): 'admitted' | 'changed' | 'demoted';
}

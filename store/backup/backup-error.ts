/** A backup cannot be made or restored. The message says what to do. */
export class BackupError extends Error {
  override readonly name = 'BackupError';
  readonly code = 'backup_failed';
}

const reasons: Readonly<Record<string, string>> = {
  ENOSPC: 'there is no room left on the disk',
  EDQUOT: 'there is no room left on the disk',
  EACCES: 'this user may not read or write there',
  EPERM: 'this user may not read or write there',
  EROFS: 'the disk is read-only',
  EIO: 'the disk has an error',
};

/** An error of the file system in words; others as they are. */
export function explained(error: unknown): Error {
  const { code = '', path } = error as NodeJS.ErrnoException;
  const reason = reasons[code];
  if (reason === undefined) return error as Error;
  return new BackupError(path === undefined ? reason : `${path}: ${reason}`, { cause: error });
}

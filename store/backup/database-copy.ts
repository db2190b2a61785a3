import { rm, stat } from 'node:fs/promises';
import { headersOf } from '../base/database-headers.ts';
import { copyFile } from './file-copy.ts';

const attemptsWithoutHold = 2;
const holdMs = 30_000;
const renewalMs = 10_000;

/** The process that has the database open. */
export interface DatabaseOwner {
  /** Makes the file complete, and keeps it as it is for a while; 0: not at all, or no more. @throws if it cannot. */
  checkpoint(holdMs: number): Promise<void>;
}

export interface DatabaseCopy {
  readonly from: string;
  readonly to: string;
  onBytes(bytes: number): void;
}

/**
 * Copies a DuckDB file while its owner writes. A copy is whole if there was no checkpoint meanwhile, which the headers show;
 * DuckDB writes to free blocks only until then. If there is one each time, because very much is logged, the owner waits.
 *
 * @throws errors of the file system, and of the owner.
 */
export async function copyDatabase(copy: DatabaseCopy, owner: DatabaseOwner): Promise<void> {
  for (let attempt = 0; attempt < attemptsWithoutHold; attempt += 1) {
    await owner.checkpoint(0);
    if (await copyUnchanged(copy)) return;
  }
  await owner.checkpoint(holdMs);
  let failure: unknown;
  const timer = setInterval(() => {
    owner.checkpoint(holdMs).catch((error) => {
      failure = error;
    });
  }, renewalMs);
  try {
    if (!(await copyUnchanged(copy))) throw failure ?? new Error(`${copy.from} changes all the time`);
  } finally {
    clearInterval(timer);
    await owner.checkpoint(0);
  }
}

/** @returns false if there was a checkpoint meanwhile; then there is no copy. */
async function copyUnchanged({ from, to, onBytes }: DatabaseCopy): Promise<boolean> {
  const before = await headersOf(from);
  await copyFile(from, to, { mode: 0o600, onBytes });
  if (before.equals(await headersOf(from))) return true;
  onBytes(-(await stat(to)).size);
  await rm(to);
  return false;
}

import { readFile } from 'node:fs/promises';
import { type Static, Type } from 'typebox';
import { writeAtomically } from '../../bus/base/files.ts';
import { compileValidator } from '../base/validator.ts';

const Time = Type.Integer({ minimum: 0, maximum: 2 ** 53 });

/** A session as it is stored: its token is not in it, only the token's hash. Times are Unix times in milliseconds. */
export const StoredSession = Type.Object({
  id: Type.String({ pattern: '^[A-Za-z0-9]{22}$' }),
  accountID: Type.String({ maxLength: 64 }),
  /** The account's fingerprint at the login. */
  account: Type.String({ maxLength: 64 }),
  /** SHA-256 of the token, in base64url. */
  hash: Type.String({ pattern: '^[\\w-]{43}$' }),
  createdMs: Time,
  usedMs: Time,
  /** Address of the client at the login. */
  address: Type.String({ maxLength: 64 }),
  /** What the client called itself at the login. */
  client: Type.String({ maxLength: 200 }),
});
export type StoredSession = Readonly<Static<typeof StoredSession>>;

const checkFile = compileValidator(Type.Array(StoredSession, { maxItems: 10_000 }));

/** @returns undefined if the file is broken; no sessions if there is no file. */
export async function readSessions(file: string): Promise<readonly StoredSession[] | undefined> {
  try {
    const content: unknown = JSON.parse(await readFile(file, 'utf8'));
    return checkFile(content) ? undefined : (content as StoredSession[]);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT' ? [] : undefined;
  }
}

/** For the owner alone: who looks at what from where concerns nobody else. @throws errors of the file system. */
export async function writeSessions(file: string, sessions: readonly StoredSession[]): Promise<void> {
  await writeAtomically(file, `${JSON.stringify(sessions)}\n`, 0o600);
}

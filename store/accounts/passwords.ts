import { createHash, randomBytes } from 'node:crypto';
import * as scrypt from 'scrypt-kdf';

// The package's types declare named exports; in fact the functions are members of its default export.
const { kdf, verify, viewParams } = (scrypt as unknown as { default: typeof scrypt }).default;

/** About 0.1 s and 32 MB each. */
const cost = { logN: 15, r: 8, p: 1 } as const;

/** Of no password, with the costs of all others: an unknown user takes as long as a known one, and the start no hash. */
const dummyHash = makeDummy();

/** In scrypt-kdf's format: the costs and a salt with their checksum, and what would be the password's part. */
function makeDummy(): string {
  const head = Buffer.alloc(16);
  head.write('scrypt');
  head.writeUInt8(cost.logN, 7);
  head.writeUInt32BE(cost.r, 8);
  head.writeUInt32BE(cost.p, 12);
  const salted = Buffer.concat([head, randomBytes(32)]);
  const checksum = createHash('sha256').update(salted).digest().subarray(0, 16);
  return Buffer.concat([salted, checksum, randomBytes(32)]).toString('base64');
}

/** @returns the hash in base64: the 96 bytes of scrypt-kdf's format, which include the cost and the salt. */
export async function hashPassword(password: string): Promise<string> {
  return Buffer.from(await kdf(password.normalize('NFC'), cost)).toString('base64');
}

/** Whether a hash cannot be verified here, such as SentryShot's (argon2). */
export function isForeignHash(hash: string): boolean {
  try {
    const { logN, r, p } = viewParams(hash);
    // The costs come from the file: huge ones would block the process.
    return logN < 10 || logN > 18 || r !== cost.r || p !== cost.p;
  } catch {
    return true;
  }
}

/**
 * Whether the password matches the hash. Without a usable hash a dummy is verified, so that the time does not reveal
 * whether the account exists.
 */
export async function verifyPassword(hash: string | undefined, password: string): Promise<boolean> {
  const known = hash !== undefined && !isForeignHash(hash);
  const matches = await verify(known ? hash : dummyHash, password.normalize('NFC'));
  return known && matches;
}

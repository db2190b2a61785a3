import * as scrypt from 'scrypt-kdf';

// The package's types declare named exports; in fact the functions are members of its default export.
const { kdf, verify, viewParams } = (scrypt as unknown as { default: typeof scrypt }).default;

/** About 0.1 s and 32 MB each. */
const cost = { logN: 15, r: 8, p: 1 } as const;

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
  const matches = await verify(known ? hash : await dummyHash(), password.normalize('NFC'));
  return known && matches;
}

let dummy: Promise<string> | undefined;

/** The hash against which unknown users are verified. */
function dummyHash(): Promise<string> {
  dummy ??= hashPassword('');
  return dummy;
}

/** Makes the dummy hash early; otherwise the first unknown user would take twice as long as a known one. */
export const prepareVerification = async (): Promise<void> => void (await dummyHash());

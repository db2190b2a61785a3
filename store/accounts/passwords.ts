import * as scrypt from 'scrypt-kdf';

// The package's types name its functions as exports of their own; in truth they belong to its default export.
const { kdf, verify, viewParams } = (scrypt as unknown as { default: typeof scrypt }).default;

/** About 0.1 s and 32 MB each. */
const cost = { logN: 15, r: 8, p: 1 } as const;

/** @returns the hash as text: base64 of scrypt-kdf's own 96 bytes, which tell the cost and the salt as well. */
export async function hashPassword(password: string): Promise<string> {
  return Buffer.from(await kdf(password.normalize('NFC'), cost)).toString('base64');
}

/** A password hash in SentryShot's format (argon2), or anything else that cannot be verified here. */
export function isForeignHash(hash: string): boolean {
  try {
    const { logN, r, p } = viewParams(hash);
    // Costs from a foreign file must not be able to stop the process.
    return logN < 10 || logN > 18 || r !== cost.r || p !== cost.p;
  } catch {
    return true;
  }
}

/**
 * Whether the password belongs to the hash. Without a usable hash the same work is done for nothing, so that the
 * time does not tell whether there is one.
 */
export async function verifyPassword(hash: string | undefined, password: string): Promise<boolean> {
  const known = hash !== undefined && !isForeignHash(hash);
  const matches = await verify(known ? hash : await nobody(), password.normalize('NFC'));
  return known && matches;
}

let dummy: Promise<string> | undefined;

/** The hash that unknown users are verified against. */
function nobody(): Promise<string> {
  dummy ??= hashPassword('');
  return dummy;
}

/** Made early, so that the first unknown user does not wait for it. */
export const prepareVerification = async (): Promise<void> => void (await nobody());

import { type Json, mapStrings } from '../base/json.ts';
import { StoreError } from '../base/store-error.ts';

/**
 * Masks passwords anywhere in a configuration: in the user part of a URL, and as a parameter `password=…`, as some
 * cameras have it. Clients read eight asterisks and may send them back.
 */

const mask = '********';
/**
 * Groups: 1 scheme and user name, 2 password, 3 host and port. The look-behind allows one match attempt per run of
 * letters; without it the time would grow with the square of the text's length.
 */
const userPart = /(?<![a-z0-9+.-])([a-z0-9+.-]+:\/\/[^\s/?#:]*):([^\s/?#]*)@([^\s/?#@]*)/giu;
const parameter = /((?:passwo?r?d|pwd|psw)=)[^&;/?#\s]+/giu;

function maskText(text: string): string {
  return text.replace(userPart, `$1:${mask}@$3`).replace(parameter, `$1${mask}`);
}

/** @returns a copy with masked passwords. */
export const masked = (config: Json): Json => mapStrings(config, maskText);

/**
 * @returns a copy of `sent` in which masked passwords are replaced by those of `stored`, in texts that are otherwise
 * unchanged and in URLs with the scheme, user name, host and port of a stored one. A changed host gets no password, so
 * that a client cannot make the recorder send a password, which the client cannot read, to a host of its own.
 *
 * @throws {StoreError} `invalid` if no stored password fits.
 */
export function unmasked(sent: Json, stored: Json | undefined): Json {
  const texts = new Map<string, string>();
  const authorities = new Map<string, string>();
  mapStrings(stored ?? null, (text, pointer) => {
    texts.set(pointer, text);
    for (const [authority] of text.matchAll(userPart)) {
      const key = maskText(authority);
      if (!authorities.has(key)) authorities.set(key, authority);
    }
    return text;
  });
  return mapStrings(sent, (text, pointer) => {
    if (!text.includes(mask)) return text;
    const before = texts.get(pointer);
    if (before !== undefined && maskText(before) === text) return before;
    const restored = text.replace(userPart, (authority, _name, password) =>
      password === mask ? (authorities.get(authority) ?? authority) : authority,
    );
    if (holdsMask(restored)) {
      throw new StoreError('invalid', 'expected the password itself: the stored one belongs to another URL', {
        pointer,
      });
    }
    return restored;
  });
}

function holdsMask(text: string): boolean {
  for (const [, , password] of text.matchAll(userPart)) if (password === mask) return true;
  for (const [whole, name] of text.matchAll(parameter)) if (whole === `${name}${mask}`) return true;
  return false;
}

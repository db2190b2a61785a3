import { type Json, mapStrings } from '../base/json.ts';
import { StoreError } from '../base/store-error.ts';

/**
 * Passwords that stand in a configuration, wherever they stand: in the user part of a URL, or as `password=…` in
 * one, as some cameras have it. Clients see eight asterisks and may send those back.
 */

const mask = '********';
/**
 * 1: scheme and user name. 2: the password. 3: host and port. The look-behind lets it begin only once in a run of
 * letters, so that a long text takes time in proportion to its length.
 */
const userPart = /(?<![a-z0-9+.-])([a-z0-9+.-]+:\/\/[^\s/?#:]*):([^\s/?#]*)@([^\s/?#@]*)/giu;
const parameter = /((?:passwo?r?d|pwd|psw)=)[^&;/?#\s]+/giu;

function maskText(text: string): string {
  return text.replace(userPart, `$1:${mask}@$3`).replace(parameter, `$1${mask}`);
}

/** A copy without passwords. */
export const masked = (config: Json): Json => mapStrings(config, maskText);

/**
 * A copy of `sent` where masked passwords are replaced by those of `stored`: in a text that is otherwise
 * unchanged, and in a URL with the scheme, user name, host and port of a stored one. So nobody can send a
 * password that they cannot read to another host.
 *
 * @throws {StoreError} `invalid` when there is no such password.
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
      throw new StoreError('invalid', 'expected the password itself: the stored one belongs elsewhere', {
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

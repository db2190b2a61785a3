import { replaceAuthorities, replaceSecretParameters, type UrlAuthority } from '../../bus/base/redact.ts';
import { type Json, mapStrings } from '../base/json.ts';
import { StoreError } from '../base/store-error.ts';

/**
/**
 * Masks secrets anywhere in a configuration: in the user part of a URL, and as a parameter `password=…`, as some
 * cameras have it. Clients read eight asterisks and may send them back.
 */

const mask = '********';

const written = ({ scheme, user, password, host }: UrlAuthority): string =>
  `${scheme}${user}${password === undefined ? '' : `:${password}`}@${host}`;
const withMask = (authority: UrlAuthority): string =>
  written(authority.password === undefined ? authority : { ...authority, password: mask });

const maskText = (text: string): string =>
  replaceSecretParameters(replaceAuthorities(text, withMask), () => mask);

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
    return replaceAuthorities(text, (authority) => {
      const [key, whole] = [withMask(authority), written(authority)];
      if (!authorities.has(key)) authorities.set(key, whole);
      return whole;
    });
  });
  return mapStrings(sent, (text, pointer) => {
    if (!text.includes(mask)) return text;
    const before = texts.get(pointer);
    if (before !== undefined && maskText(before) === text) return before;
    const restored = replaceAuthorities(text, (authority) => {
      const whole = written(authority);
      return authority.password === mask ? (authorities.get(whole) ?? whole) : whole;
    });
    if (holdsMask(restored)) {
      throw new StoreError('invalid', 'expected the password itself: the stored one belongs to another URL', {
        pointer,
      });
    }
    return restored;
  });
}

function holdsMask(text: string): boolean {
  let found = false;
  replaceAuthorities(text, (authority) => {
    found ||= authority.password === mask;
    return '';
  });
  replaceSecretParameters(text, (value) => {
    found ||= value === mask;
    return '';
  });
  return found;
}

/**
 * A camera's address as people know it: user name, password and the rest apart. The recorder takes them as one URL, and
 * masks the password of what it has stored.
 */

const mask = '********';

export interface CameraLogin {
  /** As it was in the stored address, encoded or not; kept while neither part of it is changed. */
  readonly stored: string | undefined;
  readonly user: string;
  /** Undefined for the stored one. */
  readonly password: string | undefined;
}

export const noLogin: CameraLogin = { stored: undefined, user: '', password: '' };

/** Takes an address apart. One that can be read in several ways stays whole: the recorder says what is wrong with it. */
export function splitAddress(url: string): { readonly login: CameraLogin; readonly address: string } {
  const whole = { login: noLogin, address: url };
  const [, scheme = '', stored = '', rest = ''] = /^(rtsps?:\/\/)([^@]*)@([^@]*)$/i.exec(url.trim()) ?? [];
  if (stored === '' || !/^(\[[^\]]*\]|[\w.-]+)(:\d+)?([/?#]|$)/.test(rest)) return whole;
  const [, rawUser = '', rawPassword = ''] = /^([^:]*):?(.*)$/.exec(stored) ?? [];
  // Without a password, what has a `/` is the way to a path with an `@` in it.
  if (rawPassword === '' && /[/?#]/.test(stored)) return whole;
  const [user, password] = [decoded(rawUser), decoded(rawPassword)];
  if (user === undefined || password === undefined) return whole;
  const isMasked = password === mask;
  return {
    login: {
      stored: isMasked ? stored : undefined,
      user,
      password: isMasked ? undefined : password,
    },
    address: scheme + rest,
  };
}

/** The URL for the recorder. An address with a login of its own keeps it. */
export function joinAddress({ stored, user, password }: CameraLogin, address: string): string {
  const [, scheme, rest = ''] = /^(rtsps?:\/\/)(.*)$/i.exec(address.trim()) ?? [];
  if (scheme === undefined || rest.includes('@')) return address;
  const storedUser = decoded(stored?.split(':')[0] ?? '');
  if (stored !== undefined && password === undefined && user === storedUser)
    return `${scheme}${stored}@${rest}`;
  if (user === '' && !password) return scheme + rest;
  const secret =
    password === undefined ? `:${mask}` : password === '' ? '' : `:${encodeURIComponent(password)}`;
  return `${scheme}${encodeURIComponent(user)}${secret}@${rest}`;
}

/** Where the stored password may be sent: scheme, host and port. */
export function authorityOf(address: string): string {
  return /^rtsps?:\/\/[^/?#]*/i.exec(address.trim())?.[0].toLowerCase() ?? '';
}

/** As the recorder reads it: `%` and two digits encode a character, unless there is another `%`. */
function decoded(text: string): string | undefined {
  const codes = text.match(/%[0-9A-Fa-f]{2}/g)?.length ?? 0;
  if (codes === 0) return text;
  if (codes < text.split('%').length - 1) return undefined;
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

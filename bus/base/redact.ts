import { isIP } from 'node:net';

/**
 * Where the secrets in a URL are: in its user part, and in parameters such as `password=…`, which some cameras have in
 * the path as well. Nothing else knows that, and nothing else is ever replaced: a password that is a word of our own
 * sentences, or a part of a time, must not change them.
 */

/** The beginning of a URL, up to the path. */
export interface UrlAuthority {
  /** `rtsp://` */
  readonly scheme: string;
  readonly user: string;
  /** Undefined where there is a user name alone. */
  readonly password: string | undefined;
  /** Host and port. */
  readonly host: string;
}

/** The look-behind lets it begin only once in a run of letters, so that the time grows with the text's length only. */
const url = /(?<![a-z0-9+.-])([a-z0-9+.-]+:\/\/)(\S*)/giu;
/** A text that is one URL: its password may hold spaces. */
const onlyUrl = /^([a-z0-9+.-]+:\/\/)(.*)$/isu;
const parameter = /((?:passwo?r?d|pwd|psw|token|(?<![a-z])pass)=)([^&;/?#\s]+)/giu;

/** After an `@`, or at the beginning: what may be an IP address, and the end of what is no path. */
const ipAddress = /(?:^|@)(?:\[([\da-f:.]+)\]|(\d{1,3}(?:\.\d{1,3}){3}))(?::\d{1,5})?(?=[/?#]|$)/gi;

/** Replaces user name, password, host and port where a URL in the text has a user part. */
export function replaceAuthorities(text: string, replacement: (authority: UrlAuthority) => string): string {
  const replace = (whole: string, scheme: string, body: string) => {
    const at = endOfUserPart(body);
    if (at < 0) return whole;
    const [, user = '', password] = /^([^:]*)(?::(.*))?$/s.exec(body.slice(0, at)) ?? [];
    const [host = ''] = /^[^\s/?#]*/.exec(body.slice(at + 1)) ?? [];
    return replacement({ scheme, user, password, host }) + body.slice(at + 1 + host.length);
  };
  return onlyUrl.test(text) ? text.replace(onlyUrl, replace) : text.replace(url, replace);
}

/** Replaces the value of each parameter that holds a secret, in a URL or beside one. */
export function replaceSecretParameters(text: string, replacement: (value: string) => string): string {
  return text.replace(parameter, (_, name: string, value: string) => name + replacement(value));
}

/** For people who may read the log: URLs without user names, passwords and tokens. */
export function redactUrls(text: string): string {
  return replaceSecretParameters(
    text.replace(url, (whole: string) =>
      replaceAuthorities(whole, ({ scheme, host }) => `${scheme}***@${host}`),
    ),
    () => '***',
  );
}

/**
 * Where the `@` before the host is, or -1. A camera's password may hold `@`, `/`, `?` and `#` as they are, so it is read as
 * far as it can be: to an IP address, or to the last `@`.
 */
function endOfUserPart(body: string): number {
  for (const { 0: found, 1: ipv6, 2: ipv4, index } of body.matchAll(ipAddress)) {
    if (isIP(ipv6 ?? ipv4 ?? '') !== 0) return found.startsWith('@') ? index : -1;
  }
  const end = body.search(/[/?#]/);
  const authority = end < 0 ? body : body.slice(0, end);
  // Without a `:` before its first `/` it is a path that holds the last `@`.
  return authority.includes(':') ? body.lastIndexOf('@') : authority.lastIndexOf('@');
}

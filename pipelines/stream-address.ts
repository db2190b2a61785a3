/** A stream's address cannot be used. */
export class SourceError extends Error {
  override readonly name = 'SourceError';
  readonly code = 'pipeline_source_invalid';
}

export interface StreamAddress {
  /** With the credentials in it, which GStreamer decodes: it tries those once, and any others eight times. */
  readonly location: string;
  /** As the camera is to get it. */
  readonly password: string;
}

const hostName = /^(?:[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?$/;
const printable = /^[\x21-\x7e]*$/;

/** Makes of an RTSP address what GStreamer takes. @throws {SourceError} whose message does not repeat them. */
export function parseStreamAddress(url: string): StreamAddress {
  if (!URL.canParse(url)) throw new SourceError('the address is not a URL');
  const { protocol, username, password, host, pathname, search } = new URL(url);
  if (protocol !== 'rtsp:' && protocol !== 'rtsps:') {
    throw new SourceError('the address must begin with rtsp:// or rtsps://');
  }
  if (!hostName.test(host)) throw new SourceError('the host in the address is not a name or an address');
  const rest = `${host}${pathname}${search}`;
  if (!printable.test(rest)) throw new SourceError('the address holds characters that no address may hold');
  const [user, secret] = [decoded(username), decoded(password)];
  const login = user === '' ? '' : `${encodeCredential(user)}:${encodeCredential(secret)}@`;
  return { location: `${protocol}//${login}${rest}`, password: secret };
}

/** All but letters, digits and `-._~`: quotes too, so that the text is easily found in a message. */
export function encodeCredential(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

/** A password may hold a `%` that encodes nothing. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

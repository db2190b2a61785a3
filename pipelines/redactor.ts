import { redactUrls, replaceAuthorities } from '../bus/base/redact.ts';
import { parseRtspAddress } from '../bus/base/rtsp-address.ts';
import type { VideoSource } from './protocol/pipeline-protocol.ts';

/**
 * @returns a function that replaces credentials: the secrets in URLs, and the user parts of this source's, however they
 * are written and wherever they were cut out of the URL. A password that is a word of a sentence stays as it is.
 */
export function redactor(source: VideoSource): (text: string) => string {
  const urls = source.kind === 'rtsp' ? [source.main, source.sub ?? ''] : [];
  const userParts = new Set(urls.flatMap(userPartsOf));
  // The longest first: one may be a part of another.
  const ordered = [...userParts].sort((a, b) => b.length - a.length);
  return (text) =>
    redactUrls(ordered.reduce((cleaned, userPart) => cleaned.replaceAll(`${userPart}@`, '***@'), text));
}

/** As the URL writes it, and as it is. */
function userPartsOf(url: string): string[] {
  const found: string[] = [];
  replaceAuthorities(url, ({ user, password }) => {
    if (password) found.push(`${user}:${password}`);
    return '';
  });
  try {
    const { user, password } = parseRtspAddress(url);
    if (password !== '') found.push(`${user}:${password}`);
  } catch {
    // An address that cannot be used.
  }
  return found;
}

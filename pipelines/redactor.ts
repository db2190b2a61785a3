import type { VideoSource } from './pipeline-protocol.ts';
import { encodeCredential, parseStreamAddress } from './stream-address.ts';

/** @returns replaces what others must never read: the passwords of this source, however they are written. */
export function redactor(source: VideoSource): (text: string) => string {
  const urls = source.kind === 'rtsp' ? [source.main, source.sub ?? ''] : [];
  const secrets = new Set(urls.flatMap(passwords));
  // The longest first: one may be a part of another.
  const ordered = [...secrets].sort((a, b) => b.length - a.length);
  return (text) =>
    ordered
      .reduce((cleaned, secret) => cleaned.replaceAll(secret, '***'), text)
      .replace(/(rtsps?:\/\/)[^\s/?#"']*@/gi, '$1***@');
}

/** As the URL writes it, as it is, and as GStreamer gets it. */
function passwords(url: string): string[] {
  try {
    const { password } = parseStreamAddress(url);
    return [new URL(url).password, password, encodeCredential(password)].filter((secret) => secret !== '');
  } catch {
    return [];
  }
}

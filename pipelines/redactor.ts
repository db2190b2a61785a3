import type { VideoSource } from './pipeline-protocol.ts';
import { parseRtspAddress } from './rtsp/address.ts';

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

/** As the URL writes it, and as it is. */
function passwords(url: string): string[] {
  const readings = [() => new URL(url).password, () => parseRtspAddress(url).password];
  return readings.flatMap((read) => {
    try {
      return read() || [];
    } catch {
      return [];
    }
  });
}

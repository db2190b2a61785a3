import type { Source } from './session.ts';

/** @returns replaces what must never be read by others: the credentials of this source, however they are written. */
export function redactor(source: Source): (text: string) => string {
  const secrets = new Set<string>();
  for (const url of source.kind === 'rtsp' ? [source.main, source.sub] : []) {
    const parsed = url === undefined ? null : URL.parse(url);
    for (const secret of [parsed?.password, decoded(parsed?.password)]) if (secret) secrets.add(secret);
  }
  const longestFirst = [...secrets].sort((a, b) => b.length - a.length);
  return (text) =>
    longestFirst
      .reduce((cleaned, secret) => cleaned.replaceAll(secret, '***'), text)
      .replace(/(rtsps?:\/\/)[^\s/?#"']*@/gi, '$1***@');
}

/** A password may hold a `%` that encodes nothing. */
export function decoded(text: string | undefined): string {
  try {
    return decodeURIComponent(text ?? '');
  } catch {
    return text ?? '';
  }
}

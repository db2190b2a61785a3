import { readFile } from 'node:fs/promises';

/** Where distributions keep the certificates of the authorities that the system trusts, in one file. */
const bundles = [
  // Debian, Ubuntu, Arch, Alpine.
  '/etc/ssl/certs/ca-certificates.crt',
  // Fedora, RHEL.
  '/etc/pki/tls/certs/ca-bundle.crt',
  // SUSE.
  '/etc/ssl/ca-bundle.pem',
];

/**
 * The authorities that the system trusts, PEM. Node itself knows only those that it was built with, not one that somebody has
 * added to the system. `SSL_CERT_FILE` names another file, as for OpenSSL.
 *
 * @returns undefined if the system has no such file.
 */
export async function systemAuthorities(): Promise<string | undefined> {
  const named = process.env['SSL_CERT_FILE'];
  for (const file of named ? [named] : bundles) {
    const text = await readFile(file, 'utf8').catch(() => '');
    if (text.includes('-----BEGIN')) return text;
  }
  return undefined;
}

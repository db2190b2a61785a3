import { X509Certificate } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { hostname, networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { createSecureContext } from 'node:tls';
import { writeAtomically } from '../../bus/base/files.ts';
import type { Log } from '../../bus/log.ts';
import type { Config } from '../../store/config/config.ts';

const dayMs = 24 * 60 * 60 * 1000;
const validFor = 730 * dayMs;
const renewBefore = 30 * dayMs;

/** The certificate cannot be used. The message says which file and why. */
export class CertificateError extends Error {
  override readonly name = 'CertificateError';
  readonly code = 'certificate_unusable';
}

/** PEM texts. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

export interface CertificateSource {
  /** @throws {CertificateError} */
  load(): Promise<Certificate>;
  /** Changes when it is worth loading again. */
  revision(): Promise<string>;
}

/** @returns undefined when there is to be no TLS. */
export function certificateSource(config: Pick<Config, 'tls' | 'configDir'>): CertificateSource | undefined {
  const { tls } = config;
  if (tls.mode === 'off') return undefined;
  return tls.mode === 'files' ? filesOf(tls.cert, tls.key) : selfSigned(join(config.configDir, 'tls'));
}

function filesOf(cert: string, key: string): CertificateSource {
  return {
    async load() {
      const pair = { cert: await readPem(cert), key: await readPem(key) };
      check(pair, `${cert}, ${key}`);
      return pair;
    },
    async revision() {
      const states = await Promise.all([cert, key].map((file) => stat(file)));
      return states.map(({ mtimeMs, ino, size }) => `${mtimeMs} ${ino} ${size}`).join();
    },
  };
}

function selfSigned(folder: string): CertificateSource {
  const files = filesOf(join(folder, 'cert.pem'), join(folder, 'key.pem'));
  return {
    async load() {
      const kept = await files.load().catch(() => undefined);
      if (kept && lifeLeft(kept) > renewBefore) return kept;
      await makeSelfSigned(folder);
      return files.load();
    },
    // Looked at once a day: it is renewed well before it expires.
    revision: async () => String(Math.floor(Date.now() / dayMs)),
  };
}

const lifeLeft = ({ cert }: Certificate) => Date.parse(new X509Certificate(cert).validTo) - Date.now();

async function makeSelfSigned(folder: string): Promise<void> {
  // Only when it is needed: loading it takes longer than all the rest of a start.
  const { generate } = await import('selfsigned');
  const names = ['localhost', hostname(), `${hostname()}.local`].filter((name) =>
    /^[a-z0-9.-]+$/i.test(name),
  );
  const addresses = Object.values(networkInterfaces()).flatMap((all) => all ?? []);
  const altNames = [
    ...[...new Set(names)].map((value) => ({ type: 2 as const, value })),
    ...addresses.map(({ address }) => ({ type: 7 as const, ip: address })),
  ];
  const { cert, private: key } = await generate([{ name: 'commonName', value: 'sentrybus' }], {
    keyType: 'ec',
    curve: 'P-256',
    algorithm: 'sha256',
    notBeforeDate: new Date(Date.now() - dayMs),
    notAfterDate: new Date(Date.now() + validFor),
    extensions: [
      { name: 'basicConstraints', cA: false, critical: true },
      { name: 'keyUsage', digitalSignature: true, critical: true },
      { name: 'extKeyUsage', serverAuth: true },
      { name: 'subjectAltName', altNames },
    ],
  });
  // The certificate last: without it, a key that a crash has left alone is made anew.
  await writeAtomically(join(folder, 'key.pem'), key, 0o600);
  await writeAtomically(join(folder, 'cert.pem'), cert, 0o640);
}

async function readPem(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw new CertificateError(`${file}: expected a file that can be read`, { cause });
  }
}

/** @throws {CertificateError} also when the key is not the certificate's, as between two writes of a renewal. */
function check(pair: Certificate, files: string): void {
  try {
    createSecureContext(pair);
  } catch (cause) {
    throw new CertificateError(`${files}: expected a certificate and its private key, in PEM`, { cause });
  }
}

/**
 * Hands over the certificate, and again whenever there is another one. One that cannot be used is told in the log,
 * and the old one goes on.
 *
 * @param interval milliseconds between two looks.
 * @returns ends it.
 * @throws {CertificateError} when the first one cannot be used.
 */
export async function serveCertificate(
  source: CertificateSource,
  interval: number,
  use: (certificate: Certificate) => void,
  log: Log,
): Promise<() => void> {
  const first = await source.load();
  let known = await source.revision();
  // Read again: it may have been replaced between the two.
  use(await source.load().catch(() => first));
  let complaint: string | undefined;
  const look = async () => {
    try {
      const revision = await source.revision();
      if (revision === known) return;
      use(await source.load());
      known = revision;
      complaint = undefined;
      log.info('the TLS certificate was read again');
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      if (reason !== complaint) log.warning(`the new TLS certificate cannot be used: ${reason}`);
      complaint = reason;
    }
  };
  const timer = setInterval(() => void look(), interval).unref();
  return () => clearInterval(timer);
}

import { X509Certificate } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { hostname, networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { createSecureContext } from 'node:tls';
import { writeAtomically } from '../../bus/base/files.ts';
import type { Certificate } from '../../bus/certificates/certificate-order.ts';
import { makeCertificate } from '../../bus/certificates/make-certificate.ts';
import type { Log } from '../../bus/log.ts';
import type { Config } from '../../store/config/config.ts';

const dayMs = 24 * 60 * 60 * 1000;
const validForMs = 730 * dayMs;
/** For machines whose clock was ahead. Apple's systems take at most 825 days in all. */
const validSinceMs = 90 * dayMs;
/** A self-signed certificate is renewed when its remaining lifetime falls below this. */
const renewBeforeMs = 30 * dayMs;

/** The certificate is unusable. The message names the file and the reason. */
export class CertificateError extends Error {
  override readonly name = 'CertificateError';
  readonly code = 'certificate_unusable';
}

export interface CertificateSource {
  /** @throws {CertificateError} */
  load(): Promise<Certificate>;
  /** A text that changes when the certificate should be loaded again. */
  revision(): Promise<string>;
}

/** @returns undefined if TLS is off. */
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
      if (kept && isFresh(kept)) return kept;
      await makeSelfSigned(folder);
      return files.load();
    },
    // Changes daily, so that a renewal is considered once a day, well before the certificate expires.
    revision: async () => String(Math.floor(Date.now() / dayMs)),
  };
}

/** Not so if it was made while the machine's clock was far ahead. */
function isFresh({ cert }: Certificate): boolean {
  const { validFrom, validTo } = new X509Certificate(cert);
  const now = Date.now();
  return Date.parse(validFrom) <= now && Date.parse(validTo) - now > renewBeforeMs;
}

async function makeSelfSigned(folder: string): Promise<void> {
  const names = ['localhost', hostname(), `${hostname()}.local`].filter((name) =>
    /^[a-z0-9.-]+$/i.test(name),
  );
  const addresses = Object.values(networkInterfaces()).flatMap((all) => all ?? []);
  const { cert, key } = await makeCertificate({
    name: 'sentrybus',
    hosts: [...new Set(names), ...addresses.map(({ address }) => address)],
    isClient: false,
    validFrom: Date.now() - validSinceMs,
    validUntil: Date.now() + validForMs,
  });
  // The certificate is written last: if a crash leaves a key without certificate, both are made again.
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

/** @throws {CertificateError} also if the key does not match, as between the two writes of a renewal. */
function check(pair: Certificate, files: string): void {
  try {
    createSecureContext(pair);
  } catch (cause) {
    throw new CertificateError(`${files}: expected a certificate and its private key, in PEM`, { cause });
  }
}

/**
 * Passes the certificate to `use`, now and whenever it changes. An unusable new certificate is logged, and the old
 * one stays in use.
 *
 * @param interval milliseconds between two checks.
 * @returns a function that stops the checks.
 * @throws {CertificateError} if the first certificate is unusable.
 */
export async function serveCertificate(
  source: CertificateSource,
  interval: number,
  use: (certificate: Certificate) => void,
  log: Log,
): Promise<() => void> {
  const first = await source.load();
  let known = await source.revision();
  // Loaded again: the files may have changed between `load` and `revision`.
  use(await source.load().catch(() => first));
  let lastFailure: string | undefined;
  const reload = async () => {
    try {
      const revision = await source.revision();
      if (revision === known) return;
      use(await source.load());
      known = revision;
      lastFailure = undefined;
      log.info('the TLS certificate was reloaded');
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      if (reason !== lastFailure)
        log.warning(`the new TLS certificate is unusable, the old one stays: ${reason}`);
      lastFailure = reason;
    }
  };
  const timer = setInterval(() => void reload(), interval).unref();
  return () => clearInterval(timer);
}

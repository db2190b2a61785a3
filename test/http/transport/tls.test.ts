import { execFile } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { promisify } from 'node:util';
import { describe, expect, test, vi } from 'vitest';
import { CertificateError, certificateSource, serveCertificate } from '../../../http/transport/tls.ts';
import { atEnd } from '../../support/cleanup.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { openFrontDoor } from '../../support/http-server.ts';
import { waitFor } from '../../support/wait.ts';

const run = promisify(execFile);
const selfSigned = { mode: 'self-signed' } as const;
const silent = { error() {}, warning() {}, info() {}, debug() {} };

/** The certificate that a server shows. */
async function shown(port: number): Promise<X509Certificate> {
  const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false });
  await once(socket, 'secureConnect');
  const certificate = socket.getPeerX509Certificate();
  socket.destroy();
  if (!certificate) throw new Error('no certificate was shown');
  return certificate;
}

/** Made by another program, so that the two files are what people have. */
async function make(folder: string, name: string, days = 90) {
  const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  await run('openssl', [
    'req',
    '-x509',
    ...curve,
    '-keyout',
    key,
    '-out',
    cert,
    '-days',
    String(days),
    '-subj',
    `/CN=${name}`,
  ]);
  return { cert, key };
}

const dayMs = 86_400_000;

describe('the self-signed certificate', () => {
  test('is made at the first start and kept', async () => {
    const configDir = await temporaryFolder();
    const first = await certificateSource({ tls: selfSigned, configDir })?.load();
    const second = await certificateSource({ tls: selfSigned, configDir })?.load();
    expect(second).toEqual(first);
    const { mode } = await stat(join(configDir, 'tls/key.pem'));
    expect((mode & 0o777).toString(8)).toBe('600');
    const certificate = new X509Certificate(first?.cert ?? '');
    expect(certificate.checkHost('localhost')).toBe('localhost');
    expect(certificate.checkHost(hostname())).toBe(hostname());
    expect(certificate.checkIP('127.0.0.1')).toBe('127.0.0.1');
    expect(certificate.ca).toBe(false);
  });

  test('is made anew before it expires', async () => {
    const configDir = await temporaryFolder();
    const source = certificateSource({ tls: selfSigned, configDir });
    const { cert } = (await source?.load()) ?? {};
    await make(join(configDir, 'tls'), 'about to expire', 20);
    const next = await source?.load();
    expect(new X509Certificate(next?.cert ?? '').subject).toBe('CN=sentrybus');
    expect(next?.cert).not.toBe(cert);
  });

  test('is valid for machines whose clock is a month behind, and made anew when it is not valid yet', async () => {
    const configDir = await temporaryFolder();
    const source = certificateSource({ tls: selfSigned, configDir });
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 100 * dayMs });
    const ahead = await source?.load().finally(() => vi.useRealTimers());
    const { cert = '' } = (await source?.load()) ?? {};
    expect(cert).not.toBe(ahead?.cert);
    expect(await source?.load()).toMatchObject({ cert });
    const { validFrom, validTo } = new X509Certificate(cert);
    expect(Date.parse(validFrom)).toBeLessThan(Date.now() - 30 * dayMs);
    // Apple's limit.
    expect(Date.parse(validTo) - Date.parse(validFrom)).toBeLessThanOrEqual(825 * dayMs);
  });

  test.each(['cert.pem', 'key.pem'])('is made anew when %s is broken', async (file) => {
    const configDir = await temporaryFolder();
    const source = certificateSource({ tls: selfSigned, configDir });
    await source?.load();
    await writeFile(join(configDir, 'tls', file), 'rubbish');
    await expect(source?.load()).resolves.toMatchObject({
      cert: expect.stringContaining('BEGIN CERTIFICATE'),
    });
  });
});

describe('files', () => {
  test('that are replaced are used for new connections, without a restart', async () => {
    const folder = await temporaryFolder();
    const files = await make(folder, 'old');
    const door = await openFrontDoor({ tls: { mode: 'files', ...files } });
    expect((await shown(door.server.port)).subject).toBe('CN=old');
    await make(folder, 'new');
    await waitFor(
      async () => (await shown(door.server.port)).subject === 'CN=new',
      10_000,
      'the new certificate',
    );
    expect((await door.fetch('/api/health')).headers.get('strict-transport-security')).toBe(
      'max-age=31536000',
    );
  });

  test('that do not belong together leave the old certificate in use, logged once', async () => {
    const folder = await temporaryFolder();
    const files = await make(folder, 'old');
    const source = certificateSource({ tls: { mode: 'files', ...files }, configDir: folder });
    if (!source) throw new Error('no source');
    const used: string[] = [];
    const warnings: string[] = [];
    const log = { ...silent, warning: (msg: string) => warnings.push(msg) };
    atEnd(async () => end());
    const end = await serveCertificate(
      source,
      10,
      ({ cert }) => used.push(new X509Certificate(cert).subject),
      log,
    );
    const old = await readFile(files.key);
    await make(folder, 'new');
    const key = await readFile(files.key);
    await writeFile(files.key, old);
    await waitFor(() => warnings.length > 0, 5000, 'the warning');
    await writeFile(files.key, key);
    await waitFor(() => used.at(-1) === 'CN=new', 5000, 'the new certificate');
    expect(warnings.length).toBeLessThanOrEqual(2);
    expect(JSON.stringify(warnings)).not.toContain('PRIVATE KEY');
  });

  test('that cannot be used keep the server from starting, with a reason', async () => {
    const folder = await temporaryFolder();
    const tls = { mode: 'files', cert: join(folder, 'none.pem'), key: join(folder, 'none.key') } as const;
    await expect(openFrontDoor({ tls })).rejects.toThrow(CertificateError);
    await expect(openFrontDoor({ tls })).rejects.toThrow(
      `${folder}/none.pem: expected a file that can be read`,
    );
  });
});

test('old TLS versions are refused', async () => {
  const door = await openFrontDoor();
  const socket = connect({
    port: door.server.port,
    host: '127.0.0.1',
    rejectUnauthorized: false,
    maxVersion: 'TLSv1.1',
    minVersion: 'TLSv1',
  });
  const [error] = (await once(socket, 'error')) as [Error];
  expect(error.message).toMatch(/protocol|version|alert/i);
});

test('a self-signed certificate does not ask browsers to insist on it', async () => {
  const door = await openFrontDoor();
  expect((await door.fetch('/api/health')).headers.get('strict-transport-security')).toBeNull();
});

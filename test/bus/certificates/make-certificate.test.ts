import { X509Certificate } from 'node:crypto';
import { expect, test } from 'vitest';
import { makeCertificate } from '../../../bus/certificates/make-certificate.ts';

const order = {
  ...{ name: 'sentrybus', hosts: ['localhost', '127.0.0.1', '::1'], isClient: false },
  ...{ validFrom: Date.UTC(2026, 0, 1), validUntil: Date.UTC(2028, 0, 1) },
};

test('a certificate bears its names and addresses, for its time, and has its own key', async () => {
  const { cert, key, ca } = await makeCertificate(order);
  const certificate = new X509Certificate(cert);
  expect(ca).toBeUndefined();
  expect(certificate.subject).toBe('CN=sentrybus');
  expect(certificate.checkHost('localhost')).toBe('localhost');
  for (const address of ['127.0.0.1', '::1']) expect(certificate.checkIP(address)).toBe(address);
  expect(certificate.validFrom).toBe('Jan  1 00:00:00 2026 GMT');
  expect(certificate.validTo).toBe('Jan  1 00:00:00 2028 GMT');
  expect(key).toMatch(/^-----BEGIN PRIVATE KEY-----/);
  expect((await makeCertificate(order)).key).not.toBe(key);
});

test('where none can be made, the error says why', async () => {
  const keyPair = { privateKey: 'no key', publicKey: 'no key' };
  const made = makeCertificate({ ...order, authority: { name: 'sentrybus cluster', keyPair } });
  await expect(made).rejects.toThrow(/^no certificate was made: its process .+: .+/);
});

import { isIP } from 'node:net';
import type { CertificateOrder, CertificateReport } from './certificate-order.ts';

/** The process of one certificate. It reports once, and is then ended by the one that asked. */

process.on('disconnect', () => process.exit());
// Ctrl-C in a terminal goes to every process; main decides what it means.
process.on('SIGINT', () => {});
// The reason is its last line; the other process waits for an end.
process.on('uncaughtException', (error) => {
  process.stderr.write(`${error.message}\n`, () => process.exit(1));
});

process.once('message', (order: CertificateOrder) => void report(order));

async function report({ name, hosts, isClient, authority, ...validity }: CertificateOrder): Promise<void> {
  // Here, so that a failure is reported like any other.
  const { generate } = await import('selfsigned');
  const common = {
    keyType: 'ec',
    curve: 'P-256',
    algorithm: 'sha256',
    notBeforeDate: new Date(validity.validFrom),
    notAfterDate: new Date(validity.validUntil),
  } as const;
  const signer =
    authority &&
    (await generate([{ name: 'commonName', value: authority.name }], {
      ...common,
      keyPair: authority.keyPair,
      extensions: [
        { name: 'basicConstraints', cA: true, critical: true },
        { name: 'keyUsage', keyCertSign: true, critical: true },
      ],
    }));
  const altNames = hosts.map((host) =>
    isIP(host) ? { type: 7 as const, ip: host } : { type: 2 as const, value: host },
  );
  const { cert, private: key } = await generate([{ name: 'commonName', value: name }], {
    ...common,
    ...(signer && { ca: { key: signer.private, cert: signer.cert } }),
    extensions: [
      { name: 'basicConstraints', cA: false, critical: true },
      { name: 'keyUsage', digitalSignature: true, critical: true },
      { name: 'extKeyUsage', serverAuth: true, ...(isClient && { clientAuth: true }) },
      { name: 'subjectAltName', altNames },
    ],
  });
  process.send?.({ cert, key, ca: signer?.cert } satisfies CertificateReport);
}

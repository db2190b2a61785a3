import { createECDH, createPrivateKey, createPublicKey, hkdfSync } from 'node:crypto';
import { randomText } from '../../base/random.ts';
import { makeCertificate } from '../../certificates/make-certificate.ts';

/** What a machine shows to the others, and whom it believes: PEM texts. */
export interface ClusterKeys {
  /** The authority of the cluster: the same key on every machine, from the secret. */
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

/** The order of P-256 begins with 32 ones, so a number that does not is below it. */
const firstByte = 0x7f;
/** Machines of a cluster need not agree on the time. */
const validity = { validFrom: Date.UTC(2020, 0, 1), validUntil: Date.UTC(2099, 11, 31) };

/** A new secret of a cluster: 43 letters and digits, 256 bits. */
export const newClusterSecret = (): string => randomText(43);

/** 32 bytes from which every machine of a cluster makes the same CSRF tokens. */
export const clusterTokenKey = (secret: string): Uint8Array => derived(secret, 'csrf tokens');

/** Names what a cluster has stored under its secret, and does not reveal it: 16 letters and digits. */
export const clusterDigest = (secret: string): string =>
  Buffer.from(derived(secret, 'name')).toString('hex').slice(0, 16);

/**
 * Makes a certificate for all ports between the machines, signed by an authority that every machine with the secret has.
 *
 * @param machines their names and addresses, which the certificate bears.
 */
export async function makeClusterKeys(secret: string, machines: readonly string[]): Promise<ClusterKeys> {
  const { ca = '', ...own } = await makeCertificate({
    ...{ name: 'sentrybus machine', hosts: machines, isClient: true, ...validity },
    authority: { name: 'sentrybus cluster', keyPair: authorityKeys(secret) },
  });
  return { ca, ...own };
}

const derived = (secret: string, use: string) =>
  new Uint8Array(hkdfSync('sha256', secret, '', `sentrybus cluster ${use}`, 32));

function authorityKeys(secret: string): { privateKey: string; publicKey: string } {
  const scalar = Buffer.from(derived(secret, 'authority'));
  scalar[0] = (scalar[0] ?? 0) & firstByte;
  const pair = createECDH('prime256v1');
  pair.setPrivateKey(scalar);
  const point = pair.getPublicKey();
  const text = (bytes: Buffer) => bytes.toString('base64url');
  const jwk = {
    ...{ kty: 'EC', crv: 'P-256', d: text(scalar) },
    ...{ x: text(point.subarray(1, 33)), y: text(point.subarray(33)) },
  };
  const privateKey = createPrivateKey({ key: jwk, format: 'jwk' });
  return {
    privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    publicKey: createPublicKey(privateKey).export({ type: 'spki', format: 'pem' }).toString(),
  };
}

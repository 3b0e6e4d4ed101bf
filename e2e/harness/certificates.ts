import type * as X509 from '@peculiar/x509';
import { generateKeyPairSync, webcrypto } from 'node:crypto';

/** Everything one control plane needs to be trusted and to sign, all PEM. */
export interface ControlPlaneCertificates {
  /** Certificate of the region's own authority. */
  readonly authority: string;
  readonly servingCertificate: string;
  readonly servingKey: string;
  /** Key pair for ServiceAccount tokens. */
  readonly serviceAccountPublicKey: string;
  readonly serviceAccountPrivateKey: string;
}

/**
 * @peculiar/x509 resolves its algorithms with tsyringe, which refuses to load without the decorator metadata functions
 * of the package reflect-metadata. The classes it resolves take no arguments, so there is no metadata to give back.
 */
async function loadX509(): Promise<typeof X509> {
  const none = { getMetadata: () => undefined, getOwnMetadata: () => undefined, defineMetadata: () => undefined };
  for (const [name, value] of Object.entries(none))
    if (!(name in Reflect)) Object.defineProperty(Reflect, name, { value, configurable: true });
  return import('@peculiar/x509');
}

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const validityMs = 30 * 24 * 60 * 60 * 1000;

/** A new authority for one region and a serving certificate signed by it, valid for `addresses` and localhost. */
export async function makeCertificates(
  region: string,
  addresses: readonly string[],
): Promise<ControlPlaneCertificates> {
  const x509 = await loadX509();
  const notBefore = new Date(Date.now() - 60_000);
  const notAfter = new Date(Date.now() + validityMs);
  const authorityKeys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const servingKeys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const authority = await x509.X509CertificateGenerator.createSelfSigned({
    name: `CN=${region}-authority`,
    notBefore,
    notAfter,
    keys: authorityKeys,
    signingAlgorithm: algorithm,
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.digitalSignature, true),
    ],
  });
  const serving = await x509.X509CertificateGenerator.create({
    subject: 'CN=kube-apiserver',
    issuer: authority.subject,
    notBefore,
    notAfter,
    publicKey: servingKeys.publicKey,
    signingKey: authorityKeys.privateKey,
    signingAlgorithm: algorithm,
    extensions: [
      new x509.SubjectAlternativeNameExtension([
        { type: 'dns', value: 'localhost' },
        ...addresses.map((value) => ({ type: 'ip' as const, value })),
      ]),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
    ],
  });
  const servingKey = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', servingKeys.privateKey));
  const serviceAccount = generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  return {
    authority: authority.toString('pem'),
    servingCertificate: serving.toString('pem'),
    servingKey: `-----BEGIN PRIVATE KEY-----\n${servingKey.toString('base64')}\n-----END PRIVATE KEY-----\n`,
    serviceAccountPublicKey: serviceAccount.publicKey,
    serviceAccountPrivateKey: serviceAccount.privateKey,
  };
}

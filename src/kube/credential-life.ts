import { X509Certificate } from 'node:crypto';
import { readServiceAccountToken } from './service-account-token.ts';

/** From when until when credentials hold, wall-clock milliseconds. */
export interface CredentialLife {
  readonly fromMs: number;
  readonly untilMs: number;
}

const soonMostMs = 7 * 24 * 3_600_000;
/** The part of a life that is its end. */
const soonPart = 1 / 4;

/**
 * How long the credentials of a kubeconfig's user hold, as far as they stand in it: a ServiceAccount's token, or a client
 * certificate. Undefined where they do not say, never end, or come from files and programs that renew them.
 */
export function credentialLife(user: Readonly<Record<string, unknown>>): CredentialLife | undefined {
  const { token, 'client-certificate-data': certificate } = user;
  if (typeof token === 'string' && token !== '') {
    const { issuedAtMs, expiresAtMs } = readServiceAccountToken(token) ?? {};
    if (expiresAtMs === undefined) return undefined;
    return { fromMs: issuedAtMs ?? expiresAtMs - soonMostMs, untilMs: expiresAtMs };
  }
  if (typeof certificate !== 'string') return undefined;
  try {
    const { validFromDate, validToDate } = new X509Certificate(Buffer.from(certificate, 'base64'));
    return { fromMs: validFromDate.getTime(), untilMs: validToDate.getTime() };
  } catch {
    return undefined;
  }
}

/** Whether they end soon: within a week, or within the last quarter of a life that is shorter than four. */
export function endsSoon({ fromMs, untilMs }: CredentialLife, nowMs: number): boolean {
  return untilMs - nowMs < Math.min(soonMostMs, (untilMs - fromMs) * soonPart);
}

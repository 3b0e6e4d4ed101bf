import { z } from 'zod';

/** What a ServiceAccount's token says of itself. It is not proven: only the API server can tell whether it holds. */
export interface ServiceAccountToken {
  readonly namespace: string;
  readonly name: string;
  /** Wall-clock milliseconds; absent: it never ends, as those that stand in Secrets. */
  readonly issuedAtMs?: number;
  readonly expiresAtMs?: number;
  /** The Secret that it holds no longer than. */
  readonly boundSecret?: { readonly name: string; readonly uid: string };
}

const subject = /^system:serviceaccount:([a-z0-9-]{1,63}):([a-z0-9.-]{1,253})$/;
/** The claims as kube-apiserver 1.36 writes them; those of a token in a Secret name that Secret in a claim of their own. */
const claimsSchema = z.looseObject({
  sub: z.string().regex(subject),
  iat: z.number().optional(),
  exp: z.number().optional(),
  'kubernetes.io': z
    .looseObject({ secret: z.looseObject({ name: z.string(), uid: z.string() }).optional() })
    .optional()
    .catch(undefined),
});

/** Reads the claims of a token; undefined for one that is no ServiceAccount's. Never throws, and quotes nothing. */
export function readServiceAccountToken(token: string): ServiceAccountToken | undefined {
  const claims = claimsSchema.safeParse(claimsOf(token)).data;
  const [, namespace, name] = subject.exec(claims?.sub ?? '') ?? [];
  if (!claims || namespace === undefined || name === undefined) return undefined;
  const { iat, exp, 'kubernetes.io': kubernetes } = claims;
  return {
    namespace,
    name,
    ...(iat !== undefined && { issuedAtMs: iat * 1000 }),
    ...(exp !== undefined && { expiresAtMs: exp * 1000 }),
    ...(kubernetes?.secret && { boundSecret: { name: kubernetes.secret.name, uid: kubernetes.secret.uid } }),
  };
}

function claimsOf(token: string): unknown {
  const [, payload] = token.split('.');
  try {
    return JSON.parse(Buffer.from(payload ?? '', 'base64url').toString('utf8')) as unknown;
  } catch {
    return undefined;
  }
}

import type { FoundRegistration } from './registration.ts';

/** Part of its life after which a token is renewed: two thirds are left to notice that it cannot be. */
export const renewAfterPart = 1 / 3;

/** Says how long the token of a registration holds, and who sees to it that there is another one then. */
export function sayLifetime({ claims, renewAfter }: Pick<FoundRegistration, 'claims' | 'renewAfter'>): string {
  if (!claims) return 'what it presents is no token of a ServiceAccount';
  const { issuedAtMs, expiresAtMs } = claims;
  if (expiresAtMs === undefined) return 'its token holds until it is revoked';
  const lives = issuedAtMs === undefined ? '' : `, ${inWords((expiresAtMs - issuedAtMs) / 1000)} after it was made`;
  const until = `its token holds until ${new Date(expiresAtMs).toISOString()}${lives}`;
  if (renewAfter === undefined) return `${until}; nobody renews it: ringmaster rotate before that`;
  return `${until}; the controller renews it after ${inWords(Number(renewAfter))}`;
}

/** A time as people say it, in one unit. */
export function inWords(seconds: number): string {
  for (const [unit, length] of [
    ['days', 86_400],
    ['hours', 3_600],
    ['minutes', 60],
  ] as const) {
    if (seconds >= 2 * length) return `${Math.round((seconds / length) * 10) / 10} ${unit}`;
  }
  return `${Math.round(seconds)} seconds`;
}

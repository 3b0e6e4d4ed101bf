import type { Reason } from '../api/conditions.ts';
import { TransportError, type TransportFailure } from '../edges/transport.ts';
import { isKubeError } from '../kube/errors.ts';

/** In which way a cluster answers, or does not. */
export type Answer = Extract<
  Reason<'Reachable'>,
  'Refused' | 'Reset' | 'NoRoute' | 'NameNotFound' | 'TLS' | 'Unauthorized' | 'Forbidden' | 'NotReady' | 'Timeout'
>;

const answers: Partial<Record<TransportFailure, Answer>> = {
  refused: 'Refused',
  reset: 'Reset',
  unreachable: 'NoRoute',
  dns: 'NameNotFound',
  tls: 'TLS',
  credentials: 'Unauthorized',
};

/** What happened, and what a person can do about it. */
export const explanations: Record<Answer, readonly [happened: string, todo: string]> = {
  Refused: ['refuses connections', 'see whether it runs, and whether address and port are right'],
  Reset: [
    'or something before it breaks connections off',
    'see whether it runs, and to the proxies, balancers and firewalls between here and there',
  ],
  NoRoute: [
    'has an address to which no way is known here',
    'see to the routes, and to the address in its registration',
  ],
  NameNotFound: ['has a name that does not resolve here', 'see to DNS, or to the address in its registration'],
  TLS: ['does not prove who it is', 'see to certificate-authority-data and tls-server-name in its registration'],
  Unauthorized: ['does not accept the credentials', 'renew them in its registration'],
  Forbidden: ['does not let these credentials read /readyz', 'grant them that'],
  NotReady: ['answers that it is not ready', 'read its /readyz?verbose'],
  Timeout: ['does not answer', 'see to the network and the firewalls between here and there'],
};

/** What a failed request says of the cluster; one that says nothing more precise had no answer in time. */
export function answerOf(error: unknown): Answer {
  if (isKubeError(error, 'Unauthorized')) return 'Unauthorized';
  if (isKubeError(error, 'Forbidden')) return 'Forbidden';
  if (isKubeError(error, 'ServerError', 'TooManyRequests')) return 'NotReady';
  const cause = isKubeError(error) ? error.cause : error;
  return (cause instanceof TransportError && answers[cause.failure]) || 'Timeout';
}

import { isKubeError } from '../kube/errors.ts';
import type { FailureKind } from '../telemetry/metrics.ts';

/**
 * Which kind of failure a reconcile's error is. Every error of a request is a KubeError, so any other one is a mistake
 * in this program; and what a server finds wrong with our own object it finds wrong again.
 */
export function kindOfFailure(error: unknown): FailureKind {
  if (!isKubeError(error)) return 'panic';
  if (isKubeError(error, 'Invalid', 'BadRequest')) return 'terminal';
  return isKubeError(error, 'Timeout') ? 'timeout' : 'usual';
}

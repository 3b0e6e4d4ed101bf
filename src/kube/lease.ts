import * as z from 'zod';
import { formatMicroTime, parseMicroTime } from './micro-time.ts';
import { type KubeObject, resources } from './objects.ts';
import { apiVersionOf } from './paths.ts';

/** The largest leaseTransitions that an API server stores. */
export const transitionsMax = 2 ** 31 - 1;

/** Who holds a Lease (coordination.k8s.io/v1), as client-go's leader election writes it. Times in milliseconds since 1970. */
export interface LeaseRecord {
  /** Empty: nobody. */
  readonly holder: string;
  readonly durationMs: number;
  readonly acquiredAt: number | undefined;
  readonly renewedAt: number | undefined;
  /** How often the Lease has changed hands. */
  readonly transitions: number;
}

const specSchema = z.object({
  holderIdentity: z.string().nullish().catch(undefined),
  leaseDurationSeconds: z.number().nullish().catch(undefined),
  acquireTime: z.string().nullish().catch(undefined),
  renewTime: z.string().nullish().catch(undefined),
  leaseTransitions: z.number().nullish().catch(undefined),
});

/** What a Lease says. Every field may be missing: others write Leases too. */
export function readLease(object: KubeObject): LeaseRecord {
  const spec = specSchema.safeParse(object['spec']).data ?? {};
  const time = (text: string | null | undefined): number | undefined => (text ? parseMicroTime(text) : undefined);
  return {
    holder: spec.holderIdentity ?? '',
    durationMs: (spec.leaseDurationSeconds ?? 0) * 1000,
    acquiredAt: time(spec.acquireTime),
    renewedAt: time(spec.renewTime),
    transitions: spec.leaseTransitions ?? 0,
  };
}

/** A Lease that does not exist yet. */
export function newLease(ref: { namespace: string; name: string }, record: LeaseRecord): KubeObject {
  const { namespace, name } = ref;
  return {
    apiVersion: apiVersionOf(resources.leases),
    kind: resources.leases.kind,
    metadata: { namespace, name },
    spec: specOf(record),
  };
}

/** `object` with another record; fields that leader election does not know, labels among them, stay. */
export function withRecord(object: KubeObject, record: LeaseRecord): KubeObject {
  return { ...object, spec: { ...(object['spec'] as object | undefined), ...specOf(record) } };
}

function specOf({ holder, durationMs, acquiredAt, renewedAt, transitions }: LeaseRecord): Record<string, unknown> {
  return {
    holderIdentity: holder,
    leaseDurationSeconds: Math.ceil(durationMs / 1000),
    ...(acquiredAt !== undefined && { acquireTime: formatMicroTime(acquiredAt) }),
    ...(renewedAt !== undefined && { renewTime: formatMicroTime(renewedAt) }),
    leaseTransitions: transitions,
  };
}

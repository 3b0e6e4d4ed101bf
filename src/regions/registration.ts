import type { ObjectRef } from '../kube/client.ts';
import type { ClusterContext } from '../kube/contexts.ts';
import type { ServiceAccountToken } from '../kube/service-account-token.ts';
import type { Tenancy } from './tenancy.ts';

/** A token that Ringmaster renews itself, and the Secret of the hub that the new one is to be put into. */
export interface Renewal {
  readonly secret: Required<ObjectRef>;
  /** Of the token that is registered. */
  readonly claims: ServiceAccountToken;
  /** How long after it was made it is renewed, milliseconds. */
  readonly afterMs: number;
}

/** A region as a source names it: how to reach it, who may use it. */
export interface Registration {
  readonly name: string;
  /** For messages: `kubeconfig /etc/regions/eu, context eu` or `Secret ringmaster/eu`. */
  readonly origin: string;
  readonly context: ClusterContext;
  readonly tenancy: Tenancy;
  /** Differs when the region is reached in another way than before: address, authority, credentials. */
  readonly fingerprint: string;
  readonly renewal?: Renewal;
}

/** What a source names and cannot be used. */
export interface RefusedRegistration {
  /** Undefined: what is broken does not even say which region it is. */
  readonly name: string | undefined;
  readonly origin: string;
  /** A sentence for people. */
  readonly problem: string;
  /** Who may use the region, where that can be told; a registration of the same origin that works stays in use then. */
  readonly tenancy?: Tenancy;
}

/** Where regions come from. */
export interface RegistrationSource {
  /** Why not everything it has was read yet, a sentence for people; undefined once it was. */
  readonly pending: string | undefined;
  /** What it has now, the first of equal names first. */
  read(): readonly (Registration | RefusedRegistration)[];
  /** Follows changes until `signal` aborts, then resolves. `onChange` is called after `read` answers something else. */
  run(signal: AbortSignal, onChange: () => void): Promise<void>;
  /** The hub answers again after it did not: who waits to ask it need not any longer. */
  retryNow?(): void;
}

export function isRefused(each: Registration | RefusedRegistration): each is RefusedRegistration {
  return 'problem' in each;
}

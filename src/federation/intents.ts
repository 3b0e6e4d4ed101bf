import { isDeepStrictEqual } from 'node:util';
import type { ObjectRef } from '../kube/client.ts';
import type { KubeObject, ResourceType } from '../kube/objects.ts';
import type { NodeOrder } from '../ring/jolokia.ts';
import type { Alteration } from '../ring/keyspaces.ts';
import { withoutMoment } from './bookkeeping.ts';

/**
 * One idempotent request the plan asks for. Each carries its precondition, so that repeating it after a crash that
 * lost the reply, or sending it from an outdated plan, changes nothing that it should not.
 */
export interface Intent {
  readonly region: string;
  /** For logs and events: what it does and why, as a sentence. */
  readonly why: string;
  readonly write: Write;
}

/** A node that can be asked by CQL. */
export interface Contact {
  readonly pod: string;
  /** IP address. */
  readonly address: string;
  readonly datacenter: string;
}

export type Write =
  /** Fails if the object exists. */
  | { readonly verb: 'create'; readonly resource: ResourceType; readonly object: KubeObject }
  /** Fails unless the object still has the uid and resourceVersion in its metadata. */
  | { readonly verb: 'update'; readonly resource: ResourceType; readonly object: KubeObject }
  /** Fails unless the object is still at `resourceVersion`. */
  | {
      readonly verb: 'patchStatus';
      readonly resource: ResourceType;
      readonly ref: ObjectRef;
      readonly resourceVersion: string;
      readonly status: Readonly<Record<string, unknown>>;
    }
  /** Fails unless the object still has this uid and resourceVersion. */
  | {
      readonly verb: 'delete';
      readonly resource: ResourceType;
      readonly ref: ObjectRef;
      readonly uid: string;
      readonly resourceVersion: string;
    }
  /** Takes fields out by JSON patch, and sets annotations; fails unless the object still has this uid and resourceVersion. */
  | {
      readonly verb: 'removeFields';
      readonly resource: ResourceType;
      readonly ref: ObjectRef;
      readonly uid: string;
      readonly resourceVersion: string;
      readonly paths: readonly string[];
      readonly annotations?: Readonly<Record<string, string>>;
    }
  /** Tells the node in a pod what to do; nothing happens unless it still is this host, and NORMAL. */
  | {
      readonly verb: 'order';
      readonly resource: ResourceType;
      readonly ref: ObjectRef;
      readonly hostId: string;
      readonly order: NodeOrder;
    }
  /**
   * Has one of some nodes alter keyspaces by CQL, one after the other; each only while it is as it was, and no row can be lost by it. The role and its password are
   * in a Secret of the hub, which is read by whoever sends this.
   */
  | {
      readonly verb: 'cql';
      readonly resource: ResourceType;
      /** The pod that is asked first. */
      readonly ref: ObjectRef;
      readonly login: { readonly namespace: string; readonly secret: string; readonly port: number };
      /** In the order in which they are tried. */
      readonly contacts: readonly Contact[];
      readonly alterations: readonly Alteration[];
    }
  /** Puts other labels and annotations in the place of all there are; fails unless the object still has this uid and resourceVersion. */
  | {
      readonly verb: 'label';
      readonly resource: ResourceType;
      readonly ref: ObjectRef;
      readonly uid: string;
      readonly resourceVersion: string;
      readonly labels: Readonly<Record<string, string>>;
      readonly annotations: Readonly<Record<string, string>>;
    };

/** Whether one write asks for what the other one did, at another time. */
export function isSameWrite(one: Write, other: Write): boolean {
  return isDeepStrictEqual(timeless(one), timeless(other));
}

function timeless(write: Write): unknown {
  if ('annotations' in write) return { ...write, annotations: withoutMoment(write.annotations) };
  if (!('object' in write)) return write;
  const { metadata } = write.object;
  return {
    ...write,
    object: { ...write.object, metadata: { ...metadata, annotations: withoutMoment(metadata.annotations) } },
  };
}

import type { KubeObject } from '../../../src/kube/objects.ts';
import type { ObjectChange } from '../api/request.ts';
import type { Replication } from '../region/cassandra/schema.ts';
import type { Facts } from './facts.ts';

/** One write of a controller, seen at the server's door. */
export interface Write {
  /** The process that sent it. */
  readonly by: string;
  readonly cluster: string;
  readonly method: 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly plural: string;
  readonly name: string;
  readonly subresource: string | undefined;
  readonly body: unknown;
  /** The object as it was, and as it is by now; undefined: there is none. */
  readonly before: KubeObject | undefined;
  readonly after: KubeObject | undefined;
  /** Whether the server did it. */
  readonly succeeded: boolean;
  /** When it was sent: who held the Lease, and how long before its sender had begun to renew that for the last time. */
  readonly lease: { readonly holder: string; readonly sinceRenewalMs: number };
  /** The intent, in the controller's own words. */
  readonly why: string;
}

/** What a controller tells a node to do with the ring, right before the node hears it. */
export interface NodeOrder {
  readonly by: string;
  readonly cluster: string;
  readonly pod: string;
  readonly what: 'decommission' | 'removeNode';
  /** Whom it is to remove. */
  readonly hostId: string | undefined;
  readonly lease: Write['lease'];
  readonly why: string;
}

/** What a controller has a node alter by CQL, right before the node does it. */
export interface KeyspaceAlteration {
  readonly by: string;
  readonly cluster: string;
  readonly pod: string;
  readonly keyspace: string;
  readonly before: Replication | undefined;
  readonly after: Replication;
  readonly lease: Write['lease'];
  readonly why: string;
}

/** What happened to a node, as far as it concerns the ring. */
export interface NodeEvent {
  readonly kind: 'founded' | 'joined' | 'became NORMAL';
  readonly pod: string;
  readonly region: string;
  readonly hostId: string;
}

/** Looks at one world from its beginning to its end. Each method answers with a sentence when the invariant is broken. */
export interface Checker {
  /** A controller's write, right after the server has answered it. */
  onWrite?(write: Write): string | undefined;
  onOrder?(order: NodeOrder): string | undefined;
  onAlter?(alteration: KeyspaceAlteration): string | undefined;
  /** Any object in any cluster has changed, whoever did it. */
  onChange?(cluster: string, change: ObjectChange): string | undefined;
  onNode?(event: NodeEvent): string | undefined;
  /** Every few virtual seconds, whatever happens. */
  onTick?(): string | undefined;
  /** Faults have stopped, and the time for everything to become right again is over. */
  onRest?(): string | undefined;
}

/** Something that must hold in every world at every moment. */
export interface Invariant {
  readonly name: string;
  /** What holds, and why it matters. */
  readonly statement: string;
  readonly watch: (facts: Facts) => Checker;
}

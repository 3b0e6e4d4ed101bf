import type { Condition, ConditionStatus } from './schema.ts';

/**
 * Condition types, their reasons and the stages of a region: the words the status is made of. Each word has one
 * sentence that says when it is used; the reference documentation is made from them.
 */

/** Conditions of a MultiCassandraCluster. */
export const conditionTypes = {
  Accepted: 'The spec is valid and something Ringmaster can do; nothing is written while it is False.',
  Ready: 'Every region runs what the spec asks for, in one ring.',
  Reconciling: 'Ringmaster or a regional operator is at work; normal is False.',
  Stalled: 'Nothing will go on without a person; normal is False.',
  RingIntact: 'All nodes of all regions see one and the same set of nodes.',
  RegionsReachable: 'The API server of every region answers.',
  SeedsCurrent: 'Every region has the current list of seeds.',
  OperationsDone: 'Every node has done what spec.operations asks for; there since something was asked for.',
} as const;
export type ConditionType = keyof typeof conditionTypes;

/** Conditions of one region, in status.regions[].conditions. */
export const regionConditionTypes = {
  Reachable: "The region's API server answers, and it is the cluster it was before.",
  Applied: 'The member in the region is what the spec asks for.',
  Settled: 'The regional operator has processed our last write and has nothing under way.',
  RingMember: 'Every node of the region is a normal member of the ring.',
} as const;
export type RegionConditionType = keyof typeof regionConditionTypes;

/** Where a region is on its way into the ring, or out of it. */
export const regionStages = [
  'Unknown',
  'Waiting',
  'Founding',
  'Joining',
  'Running',
  'Observed',
  'Removing',
  'Removed',
  'Abandoned',
] as const;
export type RegionStage = (typeof regionStages)[number];

/** Why a condition is as it is, by condition type. One place for all reasons: add new ones here. */
export const reasons = {
  Accepted: {
    Accepted: 'The spec is valid.',
    Invalid: 'A field is wrong; the message names it and says what to do.',
    NotYetSupported: 'A field asks for something that this version of Ringmaster does not do yet.',
    Forbidden: 'A running member cannot be changed so: the regional operator would refuse it or do harm.',
    ForeignMember: 'A region holds an object of that name that is not ours; it is left untouched.',
    UnknownContext: 'A region names a kubeconfig context that Ringmaster does not have.',
    RegionDropped: 'A region disappeared from the spec without state Removing or Abandoned; it is left as it is.',
    IdentityChanged: 'A region points at another cluster or namespace than the one its member was written to.',
    RemovalUnderWay: 'A region that has begun to leave the ring is asked to stay.',
  },
  Ready: {
    Ready: 'Every region runs what the spec asks for, in one ring.',
    NotAccepted: 'The spec is not accepted.',
    Forming: 'The ring is being formed.',
    Changing: 'A change is going through the regions.',
    NodesNotReady: 'Some nodes are not ready.',
    RegionsUnreachable: 'A region cannot be reached.',
    RingNotIntact: 'It is not proven that all nodes are in one ring.',
    Deleting: 'The object is being deleted, and with it what its deletionPolicy says.',
  },
  Reconciling: {
    Deleting: 'The object is being deleted, and with it what its deletionPolicy says.',
    Founding: 'The first region starts the ring.',
    Joining: 'A region joins the ring.',
    Applying: 'A change is being written.',
    Changing: 'A change goes through the regions, one after another.',
    Paused: 'A change waits until spec.rollout.paused is false again.',
    Leaving: 'A region leaves the ring.',
    Settling: 'A regional operator is at work.',
    Operating: 'Nodes do what spec.operations asks for, one after the other.',
    Idle: 'There is nothing to do.',
  },
  Stalled: {
    Observed: 'The guard of a region that is only looked at has to be written before the ring changes.',
    Progressing: 'Nothing is stuck.',
    LeftoversFound:
      'A region holds a StatefulSet, a member or volumes of an earlier ring of this name, so no ring is founded.',
    ProgressDeadlineExceeded: 'A region did not settle in time.',
    NoPodReady: 'No pod of a region is ready, so its regional operator takes no change.',
    DataLossSuspected: 'A pod carries another host ID than before; ring changes wait for a person to acknowledge it.',
    RingSplit: 'There is more than one ring; ring changes wait for a person.',
    Rejected: 'A regional operator refused the change.',
    ForeignMember: 'A region holds an object of that name that is not ours.',
    PreconditionMissing: 'A region lacks something the member needs.',
    SeedsUnreachable: 'A node waits for a seed of another region that does not answer.',
    ReplicationGate: 'Keyspaces must be replicated in another way before a region may join, or leave.',
    RebuildFailed: 'Nodes of a region that has joined could not stream their rows.',
    LastRegion: 'The last region cannot leave the ring.',
    AbandonUnconfirmed: 'The hosts of a region that is given up are not the ones that the spec lists.',
    StillAlive: 'A node that is given up is still heard.',
    ReturnedAfterAbandon: 'A host that was given up for good is in the ring again.',
    DecommissionFailed: 'A node that was to leave the ring could not hand over its rows.',
    NodeLeft: 'A node that the spec asks for has left the ring.',
    UnknownHosts: 'The ring holds hosts that belong to no pod; ring changes wait until a person removed them.',
    MemberMissing: 'A member was deleted and its data is not there to start it again.',
    Drifted: 'A member was changed by somebody else, or one that is to be adopted differs from the spec.',
    NewerWriter: 'A newer writer has written a member; this one holds back.',
    WriteRefused: 'The API server of a region refused our last write.',
    RegistrationRefused: 'What registers a region cannot be used.',
    NamespaceNotAllowed: "A region's registration does not let this namespace use it, or write where it wants to.",
    NotAccepted: 'The spec is not accepted.',
  },
  RingIntact: {
    OneRing: 'All views show the same nodes, all of them normal.',
    ViewsDiffer: 'The views do not agree yet.',
    NodesMissing: 'Some nodes are not in the ring yet.',
    RingSplit: 'Views do not overlap: there is more than one ring.',
    NoView: 'No node could be asked.',
    NoRing: 'There is no ring yet.',
    UnknownHosts: 'The ring holds hosts that belong to no pod.',
    ReturnedAfterAbandon: 'A host that was given up for good is in the ring again.',
    DataLossSuspected: 'A pod carries another host ID than before.',
  },
  RegionsReachable: {
    AllReachable: 'Every region answers.',
    SomeUnreachable: 'Some regions do not answer.',
    NotProbed: 'No region has been asked yet.',
  },
  SeedsCurrent: {
    Current: 'Every region has the current list.',
    Pending: 'A region has not been given its list yet.',
    Deferred: 'A region keeps an older list until it next restarts.',
  },
  OperationsDone: {
    Done: 'Every node is through.',
    NotAsked: 'The spec asks for nothing any more.',
    Running: 'One node after the other is at it.',
    Waiting: 'The next node waits until the ring is whole and nothing is being changed.',
    Failed: 'A node has failed again and again; the others were gone on with.',
  },
  Reachable: {
    Reachable: 'The API server answers.',
    CredentialsExpireSoon: 'The API server answers, and the credentials for it end soon; the message says when.',
    NotProbed: 'The API server has not been asked yet.',
    Refused: 'The connection is refused.',
    Reset: 'The connection is broken off before an answer.',
    NoRoute: 'The network knows no way to the address.',
    Timeout: 'No answer within the deadline.',
    NameNotFound: "The server's name does not resolve.",
    NotReady: 'The API server answers that it is not ready.',
    TLS: 'The certificate is not accepted.',
    Unauthorized: 'The credentials are not accepted.',
    Forbidden: 'The credentials are not allowed to do this.',
    CRDMissing: "The regional operator's CRD is not installed.",
    UnknownContext: 'No region of that name is registered, by a kubeconfig context or a Secret.',
    RegistrationRefused: 'What registers the region cannot be used; the message says why.',
    NamespaceNotAllowed: "The region's registration does not let this namespace use it, or write where it wants to.",
    IdentityChanged: 'The context points at another cluster than before.',
  },
  Applied: {
    Observed: 'The region is only looked at, and something would be written to it.',
    Applied: 'The member is what the spec asks for.',
    Waiting: 'It is not the turn of this region yet.',
    Paused: 'A change waits until spec.rollout.paused is false again.',
    ProgressDeadlineExceeded: 'The region did not settle in time after its last change.',
    NoPodReady: 'No pod of the region is ready, so its regional operator takes no change.',
    ReplicationGate: 'Nodes may not leave before the replication of keyspaces is lower.',
    RebuildFailed: 'Nodes of a region that has joined could not stream their rows.',
    LastRegion: 'The last region cannot leave the ring.',
    AbandonUnconfirmed: 'The hosts of a region that is given up are not the ones that the spec lists.',
    StillAlive: 'A node that is given up is still heard.',
    ReturnedAfterAbandon: 'A host that was given up for good is in the ring again.',
    Leaving: 'The region leaves the ring.',
    Deleting: 'The MultiCassandraCluster is being deleted, and the member with it.',
    Deleted: 'Nothing of ours is left in the region.',
    Orphaned: 'The MultiCassandraCluster is being deleted, and the region is left as it is.',
    Removed: 'The region has left the ring, and its entry may be dropped.',
    Abandoned: 'The region was given up; its member is deleted once it can be seen.',
    Writing: 'The member is being written.',
    Rejected: 'The regional operator put fields back.',
    Drifted: 'Fields of the member were changed by somebody else, or keep it from being adopted.',
    DecommissionFailed: 'A node of the region could not hand over its rows, and is to start anew.',
    NodeLeft: 'A node that the spec asks for has left the ring.',
    MemberMissing: 'The member was deleted and its data is not there to start it again.',
    NewerWriter: 'A newer writer has written the member; this one holds back.',
    WriteRefused: 'The API server of the region refused our last write.',
    Terminating: 'The member is being deleted by somebody.',
    ForeignMember: 'An object of that name exists and is not ours.',
    PreconditionMissing: 'The region lacks something the member needs, such as its namespace.',
    RegionUnreachable: 'The region cannot be reached.',
  },
  Settled: {
    Settled: 'Nothing is under way.',
    Working: 'The regional operator is at work.',
    NoMember: 'There is no member yet.',
    RegionUnreachable: 'The region cannot be reached.',
  },
  RingMember: {
    Normal: 'Every node is a normal member of the ring.',
    NotJoined: 'Some nodes have not joined yet.',
    SeedsUnreachable: 'A node waits for a seed of another region that does not answer.',
    DataLossSuspected: 'A pod carries another host ID than before.',
    NotAlive: 'A node is not NORMAL, or another node holds it to be down.',
    NoView: 'No node could be asked.',
  },
} as const satisfies Record<ConditionType | RegionConditionType, Record<string, string>>;

export type Reason<T extends keyof typeof reasons> = keyof (typeof reasons)[T] & string;

/** A condition as the caller knows it: without the time of its last transition. */
export type ConditionUpdate = {
  [T in keyof typeof reasons]: {
    type: T;
    status: ConditionStatus;
    reason: Reason<T>;
    message: string;
    observedGeneration?: number;
  };
}[keyof typeof reasons];

/**
 * The list with this condition in it, in place of an older one of the same type or at the end. lastTransitionTime
 * becomes `nowIso` (RFC 3339) only if the status changes. The given list is left as it is.
 */
export function setCondition(
  list: readonly Condition[] | undefined,
  update: ConditionUpdate,
  nowIso: string,
): Condition[] {
  const before = list?.find((each) => each.type === update.type);
  const lastTransitionTime = before?.status === update.status ? before.lastTransitionTime : nowIso;
  const condition: Condition = { ...update, lastTransitionTime };
  if (!before) return [...(list ?? []), condition];
  return (list ?? []).map((each) => (each === before ? condition : each));
}

/** The condition of this type, if the list has one. */
export function findCondition(
  list: readonly Condition[] | undefined,
  type: ConditionType | RegionConditionType,
): Condition | undefined {
  return list?.find((each) => each.type === type);
}

import type { reasons } from './conditions.ts';

/**
 * What a person does about a condition, by its type and reason: the sentences of docs/operations.md, for those reasons
 * about which there is something to do. What is in backticks is meant literally.
 */
const sentences: { readonly [T in keyof typeof reasons]?: { readonly [R in keyof (typeof reasons)[T]]?: string } } = {
  Accepted: {
    Invalid: 'Correct the field and apply again.',
    NotYetSupported: 'Put the old value back.',
    Forbidden: 'Do what the message says instead, or put the old value back.',
    ForeignMember:
      'Rename one of the two; or have it adopted: `adoptionPolicy: IfUnchanged`, and a spec that asks for what it has.',
    UnknownContext: 'Add the kubeconfig or Secret, or correct the name.',
    RegionDropped: 'Put its entry back.',
    RemovalUnderWay: 'Put its state back to `Removing`; once it is Removed it can be added again.',
    IdentityChanged: 'Put `context` and `namespace` back; for a new place use a new name.',
  },
  Ready: {
    NodesNotReady: 'Look at the pods that the message names.',
  },
  Reconciling: {
    Paused: 'Set `spec.rollout.paused: false` to go on.',
  },
  Stalled: {
    Observed: "Set the region's state to Managed again.",
    LeftoversFound: 'Delete them if their data is not needed; otherwise use another name.',
    ProgressDeadlineExceeded: 'Look at the regional operator and its pods.',
    NoPodReady: 'Do what the message says.',
    DataLossSuspected: 'If the disk is really lost, acknowledge the new host ID as the message shows.',
    RingSplit: 'Keep the ring with the data; empty the pods of the other, one region at a time.',
    Rejected: "Read that operator's log; take the fields out of the spec.",
    ForeignMember: 'As under Accepted; of two hubs, delete the object in the outdated one.',
    PreconditionMissing: 'Create what the message names.',
    SeedsUnreachable: 'Mend DNS, routes or firewalls to ports 7000 and 8778 from that region.',
    ReplicationGate: 'Run the `ALTER KEYSPACE` that the message gives; with `spec.cql`, mend what it says of that.',
    RebuildFailed: 'Read the logs that the message names; then set `rebuild.from` to another datacenter.',
    LastRegion: 'Delete the MultiCassandraCluster instead.',
    AbandonUnconfirmed: 'Make sure that they can never come back, then list them as the message shows.',
    StillAlive: 'Stop its machine or cut its network; or use `Removing`.',
    ReturnedAfterAbandon: 'Stop its machine; with its region in the spec, as `Abandoned`, it is removed once more.',
    UnknownHosts:
      'If they run, add their region to the spec; if they are gone for good: `nodetool removenode`, as the message says.',
    DecommissionFailed:
      'See to it that all nodes that stay run, then delete its pod, as the message says: it starts anew and leaves once more.',
    NodeLeft: 'Type what the message says: a new node takes its place, and its rows from the others.',
    MemberMissing: "Bring the volumes back, or put the region's loss on record as the message says.",
    Drifted:
      'Undo the edit, or put it into the spec; for a member that is to be adopted, write into the spec what the message says.',
    NewerWriter: 'Stop the outdated one.',
    WriteRefused: 'Read the message: a missing right (`ringmaster rbac region`), a quota, a webhook.',
    RegistrationRefused: 'Mend the Secret or kubeconfig that the message names; no restart is needed.',
    NamespaceNotAllowed:
      "Name the namespace in the registration's annotations or `--allow`, or another one in the spec.",
  },
  RingIntact: {
    NoView: 'Check `pods/proxy` and Jolokia (port 8778).',
  },
  OperationsDone: {
    Failed: "Read the regional operator's log, then do what the message says.",
  },
  Reachable: {
    Refused: 'Bring the API server back, or correct its address.',
    Reset:
      'Look at what stands in between (a proxy or balancer whose API server is down, a firewall), and at that API server.',
    NoRoute: "Look at routes and addresses; the region's network may be down.",
    Timeout: 'Look at the network and that API server.',
    NameNotFound: 'Correct the address or the DNS of where Ringmaster runs.',
    NotReady: 'Look at that API server; it usually waits for its etcd.',
    TLS: "Put the cluster's new CA into the registration.",
    Unauthorized: 'Rotate the token in the kubeconfig or Secret; no restart is needed.',
    CredentialsExpireSoon:
      'Run `ringmaster rotate`, or register new credentials; the message says why they were not renewed.',
    Forbidden: 'Apply `ringmaster rbac region --namespace NS` there.',
    CRDMissing: 'Install the regional operator.',
    UnknownContext: 'Add a kubeconfig context or Secret of that name.',
    RegistrationRefused: 'Do what the message says.',
    NamespaceNotAllowed: "Widen the registration's annotations or `--allow`, or correct the spec.",
    IdentityChanged: 'Point it back; a new cluster is a new region.',
  },
  Applied: {
    Observed: 'Set its state to Managed when you are done there.',
    Paused: 'Set `spec.rollout.paused: false` to go on.',
    ReplicationGate: 'Change the replication as the message says, or ask for more nodes.',
    Removed: 'Drop its entry from `spec.regions`, or set its state to `Managed` to have it join anew.',
    Abandoned: 'Keep the entry until then, if the region may ever return.',
  },
  RingMember: {
    NotAlive: "Look at that node's log; the message says when a pod has to be deleted.",
  },
};

/** One sentence on what a person does about a condition of this type for this reason; undefined: nothing by itself. */
export function whatToDo(type: string, reason: string): string | undefined {
  const ofType: Readonly<Record<string, string>> | undefined = Object.entries(sentences).find(
    ([name]) => name === type,
  )?.[1];
  return ofType && Object.hasOwn(ofType, reason) ? ofType[reason] : undefined;
}

import { resources } from '../kube/objects.ts';
import type { Alteration } from '../ring/keyspaces.ts';
import type { NodeView } from '../ring/view.ts';
import type { PlanContext } from './context.ts';
import { ringObstacle, staleObstacle } from './gates.ts';
import type { Contact, Intent } from './intents.ts';
import { inCql, schemaDisagreement } from './keyspace-gate.ts';
import { answeredFor, hasGone, isLeaving, isObserved, type MemberPicture } from './picture.ts';
import { operationUnderWay } from './pod-operations.ts';
import { lacksRows } from './rebuild.ts';
import type { Steps } from './steps.ts';

/** What is to be altered by Ringmaster itself, in the order in which it is: roles first, since who logs in anywhere has to be known there. */
export function altersOf(steps: readonly Steps[]): Alteration[] {
  const all = steps.flatMap(({ obstacles }) => obstacles.flatMap(({ alters = [] }) => alters));
  const byKeyspace = new Map(all.map((each) => [each.keyspace, each]));
  const isRoles = ({ keyspace }: Alteration): boolean => keyspace === 'system_auth';
  return [...byKeyspace.values()].toSorted((one, other) => Number(isRoles(other)) - Number(isRoles(one)));
}

/** Has a node alter keyspaces; nothing while anything else goes on in the ring. */
export function alterIntents(context: PlanContext, steps: readonly Steps[], others: readonly Intent[]): Intent[] {
  const { pictures, hosts, ring, views, heard, snapshot, federation } = context;
  const alterations = altersOf(steps);
  const { cql } = federation;
  if (!cql || alterations.length === 0) return [];
  const isAtIt =
    others.some(({ write }) => !besides.has(write.resource.plural)) ||
    steps.some(
      ({ begins, leaves = [], founder }) => begins !== undefined || founder !== undefined || leaves.length > 0,
    );
  const leaving = pictures.filter((each) => each.leavingSince !== undefined && !hasGone(each));
  const stillLeaves = leaving.some(({ pods }) => pods.some(({ name }) => hosts.joined.has(name)));
  if (isAtIt || stillLeaves || operationUnderWay(context) !== undefined || schemaDisagreement(context) !== undefined)
    return [];
  if (ringObstacle(pictures, hosts, ring, views) ?? staleObstacle(views, snapshot.monotonicMs)) return [];
  const staying = pictures
    .filter(answeredFor)
    .filter((each) => !isLeaving(each) && !isObserved(each) && !lacksRows(each));
  const contacts = staying.flatMap((each) => contactsIn(each, heard)).slice(0, contactsMax);
  const [first] = contacts;
  const region = staying.find((each) => each.pods.some(({ name }) => name === first?.pod))?.region;
  if (!first || !region) return [];
  return [
    {
      region: region.name,
      why: `have ${first.pod} of region ${region.name} alter keyspaces: ${inCql(alterations)}`,
      write: {
        verb: 'cql',
        resource: resources.pods,
        ref: { namespace: region.namespace, name: first.pod },
        login: { namespace: federation.namespace, ...cql },
        contacts,
        alterations,
      },
    },
  ];
}

/** Writes that nothing in the ring notices. */
const besides: ReadonlySet<string> = new Set([resources.configMaps.plural, resources.secrets.plural]);
/** How many nodes are tried before it is called a failure. */
const contactsMax = 4;
const contactsPerRegion = 2;

/** Nodes that can be asked, at the addresses that the others know them by. */
function contactsIn({ pods }: MemberPicture, heard: ReadonlyMap<string, NodeView>): Contact[] {
  const found = pods.flatMap(({ name, datacenter }): Contact[] => {
    const view = heard.get(name);
    const own = Object.entries(view?.hosts ?? {}).find(([, host]) => host === view?.hostId);
    return own ? [{ pod: name, address: own[0], datacenter }] : [];
  });
  return found.slice(0, contactsPerRegion);
}

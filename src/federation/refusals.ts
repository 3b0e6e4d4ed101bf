import { formatPath, type Problem } from '../api/problem.ts';
import type { MultiCassandraCluster } from '../api/schema.ts';
import { validateMembers } from '../api/validation/members.ts';
import type { Reason } from '../api/conditions.ts';
import { perObject } from '../edges/per-object.ts';
import type { Capabilities, RegionalOperator } from '../operators/operator.ts';
import { changesOf } from './changes.ts';
import type { PlanContext } from './context.ts';
import { isPodOf } from './hosts.ts';
import { isPlaced } from './memory.ts';
import { answeredFor, isLeaving, type KnownPicture } from './picture.ts';
import type { RegionSnapshot } from './snapshot.ts';

/** Why a valid spec is not accepted: what only a look at the regions and at the past can tell. */
export interface Refusal {
  readonly path: string;
  readonly reason: Reason<'Accepted'>;
  readonly message: string;
}

/** While there is one, nothing at all is written to any region. */
export function refusals(context: PlanContext): Refusal[] {
  return [
    ...renamed(context),
    ...dropped(context),
    ...moved(context),
    ...staying(context),
    ...sharedPlaces(context),
    ...misspelt(context),
    ...forbidden(context),
  ];
}

/** Nodes keep the name on their disks. The CRD says so too, as long as it is the one that belongs to this version. */
function renamed({ snapshot, federation: { clusterName } }: PlanContext): Refusal[] {
  const hosts = (snapshot.mcc.status?.regions ?? []).flatMap((region) => region.hosts ?? []);
  const [first] = hosts;
  if (!first || hosts.some(({ pod }) => pod.startsWith(`${clusterName}-`))) return [];
  const message = `The ring has nodes of another name, ${first.pod} for one, and keeps it: nodes have it on their disks. Put the old name back, or make another MultiCassandraCluster for a new ring.`;
  return [{ path: 'spec.clusterName', reason: 'Forbidden', message }];
}

/** A region that vanishes from the spec by a careless apply must not lose its nodes. */
function dropped(context: PlanContext): Refusal[] {
  const { snapshot, federation } = context;
  const recorded: Refusal[] = (snapshot.mcc.status?.regions ?? [])
    .filter((recorded) => isPlaced(recorded) && !federation.regions.some((region) => region.name === recorded.name))
    .map((recorded) => ({
      path: 'spec.regions',
      reason: 'RegionDropped',
      message: `Region ${recorded.name} is gone from the list, but it is part of the ring. It is left exactly as it is; put its entry back.`,
    }));
  return recorded.length > 0 ? recorded : unlisted(context);
}

/** What another hub knew of, and this one is not told of: the guards of the other regions name its nodes. */
function unlisted({ snapshot, federation, hosts, pictures }: PlanContext): Refusal[] {
  const recorded = new Set(
    (snapshot.mcc.status?.regions ?? []).flatMap((region) => region.hosts ?? []).map(({ pod }) => pod),
  );
  const pods = [...hosts.joined.keys()].filter(
    (pod) => !recorded.has(pod) && !pictures.some(({ region }) => isPodOf(pod, federation.clusterName, region)),
  );
  if (pods.length === 0) return [];
  const message = `The ring holds ${pods.sort().join(', ')}, and no region of the list has them. Nothing is written before the entry of their region is there: as it was, or with state Removing or Abandoned.`;
  return [{ path: 'spec.regions', reason: 'RegionDropped', message }];
}

/** A region keeps the context and namespace it was first written with. */
function moved({ pictures }: PlanContext): Refusal[] {
  return pictures.flatMap((picture, index) => {
    const { identity } = picture.recorded ?? {};
    const { name, context, namespace } = picture.region;
    if (!identity || (identity.context === context && identity.namespace === namespace)) return [];
    const field = identity.context === context ? 'namespace' : 'context';
    return [
      {
        path: formatPath(['spec', 'regions', index, field]),
        reason: 'IdentityChanged' as const,
        message: `Region ${name} was written to context ${identity.context}, namespace ${identity.namespace}, and stays there. Put that back, or add a region of another name.`,
      },
    ];
  });
}

/** A region that has begun to leave may have lost nodes to it already. */
function staying({ pictures }: PlanContext): Refusal[] {
  return pictures.flatMap(({ region, leavingSince }, index) => {
    if (leavingSince === undefined || region.state === 'Removing' || region.state === 'Abandoned') return [];
    const message = `Region ${region.name} has been leaving the ring since ${leavingSince}, and has to leave it first. Put its state back to Removing; once its stage is Removed it can be added again.`;
    return [{ path: formatPath(['spec', 'regions', index, 'state']), reason: 'RemovalUnderWay' as const, message }];
  });
}

/**
 * Two contexts may lead to one cluster; in one namespace their members would be the same object. Which cluster a region is
 * that cannot be seen is not known, and nothing is concluded from that: whatever it could be part of waits for it.
 */
function sharedPlaces({ pictures }: PlanContext): Refusal[] {
  const known = pictures.filter((picture): picture is KnownPicture => picture.known);
  return known.flatMap((picture, index) => {
    const twin = known
      .slice(0, index)
      .find(
        (other) =>
          other.snapshot.clusterUid === picture.snapshot.clusterUid &&
          other.region.namespace === picture.region.namespace,
      );
    if (!twin) return [];
    return [
      {
        path: formatPath(['spec', 'regions', pictures.indexOf(picture)]),
        reason: 'Invalid' as const,
        message: `Regions ${twin.region.name} and ${picture.region.name} are the same place: contexts ${twin.region.context} and ${picture.region.context} lead to one Kubernetes cluster (kube-system uid ${picture.snapshot.clusterUid}), and both name namespace ${picture.region.namespace} of it. Give one of them another namespace or context.`,
      },
    ];
  });
}

function misspelt({ snapshot, pictures, operator }: PlanContext): readonly Refusal[] {
  const known = misspeltIn(snapshot.mcc.spec);
  const schemas = pictures.map(({ snapshot: region }) => (region.known ? region.capabilities : undefined));
  if (!known.found || known.schemas.some((each, index) => each !== schemas[index])) {
    known.schemas = schemas;
    known.found = misspeltFields(snapshot.mcc, operator, (name) => {
      const picture = pictures.find((each) => each.region.name === name);
      return picture?.known ? picture.snapshot : undefined;
    });
  }
  return known.found;
}

/** What was found in a spec, and by which schemas; those change only when a CRD does. */
const misspeltIn = perObject<MultiCassandraCluster['spec'], Misspelt>(() => ({ schemas: [], found: undefined }));

interface Misspelt {
  schemas: (Capabilities | undefined)[];
  found: readonly Problem[] | undefined;
}

/** Fields that a region's own CRD does not know, and would drop in silence. `regionOf` gives a region that can be seen. */
export function misspeltFields(
  mcc: MultiCassandraCluster,
  operator: RegionalOperator,
  regionOf: (name: string) => RegionSnapshot | undefined,
): Problem[] {
  return validateMembers(mcc, (name) => {
    const region = regionOf(name);
    return region?.known && region.capabilities ? operator.writtenSchema(region.capabilities) : undefined;
  });
}

/** What a running member cannot become: the regional operator would refuse it, or do harm. */
function forbidden(context: PlanContext): Refusal[] {
  return context.pictures.flatMap((picture, index) => {
    if (!answeredFor(picture) || picture.member.ownership !== 'ours' || isLeaving(picture)) return [];
    const { changes, drifted } = changesOf(context, picture);
    // What somebody else has done to the member is no fault of the spec.
    if (drifted) return [];
    return changes
      .filter(({ kind }) => kind === 'forbidden')
      .map(({ path, from, to, message }) => ({
        path: formatPath(['spec', 'regions', index]),
        reason: 'Forbidden' as const,
        message: `This would change ${path} of the running member of region ${picture.region.name} from ${inWords(from)} to ${inWords(to)}. ${message}`,
      }));
  });
}

function inWords(value: unknown): string {
  return value === undefined ? 'nothing' : JSON.stringify(value);
}

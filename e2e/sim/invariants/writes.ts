import { isDeepStrictEqual } from 'node:util';
import { readBookkeeping } from '../../../src/federation/bookkeeping.ts';
import { finalizer, type Spec, type Status } from '../../../src/api/schema.ts';
import type { KubeObject } from '../../../src/kube/objects.ts';
import { isReady } from '../../../src/federation/picture.ts';
import { casskop } from '../../../src/operators/casskop/casskop.ts';
import type { Invariant } from './invariant.ts';
import type { Facts } from './facts.ts';
import { hasOurAnnotations, ownerOf, statusOf } from './reading.ts';

/** DESIGN invariant 3. */
export const writesBuildOnTheLatestView: Invariant = {
  name: 'writes build on the latest view',
  statement:
    'Nothing is written to a region whose view is not complete, or older than our own last write of that kind there: a stale view asks for what was done already, or undoes it.',
  watch: (facts) => ({
    onWrite: ({ by, cluster, plural, why, name }) => {
      const heard = facts.heard(by, cluster, plural);
      if (heard === undefined)
        return `${by} wrote ${plural} ${name} in ${cluster} (${why}) before it had read what is there`;
      const wrote = facts.wrote(by, cluster, plural);
      if (wrote === undefined || wrote <= heard) return undefined;
      return `${by} wrote ${plural} ${name} in ${cluster} (${why}) having heard of version ${heard} only, and its own last write there was ${wrote}`;
    },
  }),
};

/** What makes the two writers of one object notice each other, whatever either believes. */
export const writesNameTheirVersion: Invariant = {
  name: 'writes name their version',
  statement:
    'Every write names the uid and the version of the object it was planned from, or says that there must be none: otherwise a plan that is outdated by now undoes what it has not seen.',
  watch: () => ({
    onWrite: ({ by, method, cluster, plural, subresource, name, body, why }) => {
      if (method === 'DELETE') return undefined;
      const { uid, resourceVersion } = Array.isArray(body) ? tested(body as Operation[]) : metadataOf(body);
      // No object is at version 1: a write that names it is carried out only where there is none.
      const creates = resourceVersion === '1' && uid === undefined;
      // A status belongs to the version it was written for; a later object of that name has another one.
      if (creates || (resourceVersion && (uid || subresource === 'status'))) return undefined;
      const part = subresource === undefined ? '' : `/${subresource}`;
      return `${by} wrote ${plural}${part} ${name} in ${cluster} (${why}) without saying which version it means`;
    },
  }),
};

interface Operation {
  readonly op: string;
  readonly path: string;
  readonly value?: unknown;
}

function tested(operations: readonly Operation[]): { uid?: unknown; resourceVersion?: unknown } {
  const of = (field: string): unknown =>
    operations.find(({ op, path }) => op === 'test' && path === `/metadata/${field}`)?.value;
  return { uid: of('uid'), resourceVersion: of('resourceVersion') };
}

function metadataOf(body: unknown): { uid?: unknown; resourceVersion?: unknown } {
  return (body as Partial<KubeObject> | undefined)?.metadata ?? {};
}

/** DESIGN invariant 6. */
export const deletesAreExact: Invariant = {
  name: 'deletes are exact',
  statement:
    'Every delete names uid and resourceVersion and hits an object of ours, or a pod that is not ready while a correction is delivered; volumes are never touched, for they are the rows.',
  watch: (facts) => ({
    onWrite: ({ method, by, plural, name, cluster, body, before, succeeded, why }) => {
      if (method !== 'DELETE') return undefined;
      const what = `${by} deleted ${plural} ${name} in ${cluster} (${why})`;
      if (plural === 'persistentvolumeclaims') return `${what}: a volume`;
      const { uid, resourceVersion } =
        (body as { preconditions?: Record<string, string> } | undefined)?.preconditions ?? {};
      if (!uid || !resourceVersion) return `${what} without saying which one it means`;
      if (plural === 'pods') {
        const member = facts.member(cluster);
        const corrects = member && readBookkeeping(member).delivery?.corrects;
        if (succeeded && before && isReady(before)) return `${what}, which is ready`;
        return corrects ? undefined : `${what}, and no correction of the member is under way`;
      }
      if (before && !hasOurAnnotations(before)) return `${what}, which is not ours`;
      return undefined;
    },
  }),
};

/** DESIGN invariant 8. */
export const theFinalizerGoesLast: Invariant = {
  name: 'the finalizer goes last',
  statement:
    'Our finalizer leaves a MultiCassandraCluster that is deleted only when no region whose deletionPolicy is Delete, and that is not only observed, holds a member of it any more: afterwards nobody would know what is left behind where.',
  watch: (facts) => ({
    onWrite: ({ by, plural, succeeded, before, after }) => {
      if (plural !== 'multicassandraclusters' || !succeeded) return undefined;
      const had = before?.metadata.finalizers?.includes(finalizer) ?? false;
      const has = after?.metadata.finalizers?.includes(finalizer) ?? false;
      if (!had || has) return undefined;
      // Whoever is not told to delete lets all go on as it is.
      if (before?.metadata.deletionTimestamp === undefined) return undefined;
      const { regions, deletionPolicy } = before['spec'] as Spec;
      const left = facts.shape.regions.filter(({ name }) => {
        const region = regions.find((each) => each.name === name);
        const policy = region?.state === 'Observed' ? 'Orphan' : (region?.deletionPolicy ?? deletionPolicy);
        return policy === 'Delete' && ownerOf(facts.member(name)) === before.metadata.uid;
      });
      if (left.length === 0) return undefined;
      return `${by} let the finalizer go while ${left.map(({ name }) => name).join(', ')} still held a member`;
    },
  }),
};

/** What is written for a MultiCassandraCluster in its regions. */
const regional: ReadonlySet<string> = new Set(['cassandraclusters', 'configmaps', 'secrets']);

/** DESIGN invariant 9, second half. */
export const onlyTheLatestWriterWrites: Invariant = {
  name: 'only the latest writer writes',
  statement:
    'Nothing is written to an object that belongs to another MultiCassandraCluster or carries the stamp of a later leader or of a writer with a newer spec: two writers who disagree would undo each other for ever.',
  watch: (facts) => {
    /** Versions of the MultiCassandraCluster: what a process has heard tells which of them it knows. */
    const versions: KubeObject[] = [];
    return {
      onChange: (cluster, { resource, object }) => {
        if (resource.plural === 'multicassandraclusters' && cluster === facts.shape.hub) versions.push(object);
        return undefined;
      },
      onWrite: ({ by, cluster, method, plural, name, before, after, succeeded, why }) => {
        if (!regional.has(plural)) return undefined;
        const what = `${by} wrote ${plural} ${name} in ${cluster} (${why})`;
        if (!before || !succeeded) return undefined;
        const heard = facts.heard(by, facts.shape.hub, 'multicassandraclusters') ?? 0;
        const known = versions.findLast((each) => Number(each.metadata.resourceVersion) <= heard);
        const { owner, stamp } = readBookkeeping(before);
        const policy = (known?.['spec'] as { adoptionPolicy?: string } | undefined)?.adoptionPolicy;
        if (!owner && plural === 'cassandraclusters' && policy === 'IfUnchanged' && !hasOurAnnotations(before)) {
          const changes = after ? [...casskop.changes(after, before, []), ...casskop.changes(before, after, [])] : [];
          if (changes.length === 0) return undefined;
          return `${what}, which nobody has marked as ours, and changed ${changes.map(({ path }) => path).join(', ')}`;
        }
        if (!owner) return `${what}, which nobody has marked as ours`;
        if (owner.uid !== known?.metadata.uid) {
          const remainder = plural !== 'cassandraclusters' && facts.member(cluster) === undefined;
          const adopts = policy === 'IfUnchanged' || remainder;
          if (!adopts || owner.name !== known?.metadata.name) {
            return `${what}, which belongs to the MultiCassandraCluster with uid ${owner.uid}, and not to ${known?.metadata.uid}`;
          }
          return undefined;
        }
        const mine = known?.metadata.generation ?? 0;
        if (stamp && stamp.generation > mine) {
          return `${what} from generation ${mine} of the spec, over what was written from generation ${stamp.generation}`;
        }
        if (!after) return method === 'DELETE' ? undefined : `${what}, and it was gone`;
        const { stamp: left } = readBookkeeping(after);
        if (!stamp || !left || left.leaseTransitions >= stamp.leaseTransitions) return undefined;
        return `${what} as leader number ${left.leaseTransitions}, over what leader number ${stamp.leaseTransitions} had written`;
      },
    };
  },
};

/** DESIGN invariant 12. */
export const aDroppedRegionIsLeftAlone: Invariant = {
  name: 'a dropped region is left alone',
  statement:
    'A region whose entry disappears from the spec is left exactly as it is, for a careless apply must not cost a region; and labels of members never change, since CassKop copies them into selectors that cannot.',
  watch: (facts) => {
    const specs: { version: number; regions: string[] }[] = [];
    return {
      onChange: (cluster, { resource, object, previous, user, type }) => {
        if (resource.plural === 'multicassandraclusters' && cluster === facts.shape.hub) {
          const { regions } = object['spec'] as { regions: { name: string }[] };
          specs.push({ version: Number(object.metadata.resourceVersion), regions: regions.map(({ name }) => name) });
        }
        const isOurs = user.startsWith('controller') && resource.plural === 'cassandraclusters' && type === 'MODIFIED';
        if (!isOurs || isDeepStrictEqual(previous?.metadata.labels, object.metadata.labels)) return undefined;
        return `${user} changed the labels of the member in ${cluster} from ${JSON.stringify(previous?.metadata.labels)} to ${JSON.stringify(object.metadata.labels)}`;
      },
      onWrite: ({ by, cluster, plural, name, succeeded, why }) => {
        if (!succeeded || !regional.has(plural)) return undefined;
        const heard = facts.heard(by, facts.shape.hub, 'multicassandraclusters') ?? 0;
        const known = specs.findLast(({ version }) => version <= heard);
        if (!known || known.regions.includes(cluster)) return undefined;
        return `${by} wrote ${plural} ${name} in ${cluster} (${why}), although the spec it knew names ${known.regions.join(', ')} only`;
      },
    };
  },
};

function acknowledges(mcc: KubeObject, region: string, pod: string, hostId: string): boolean {
  const { regions } = mcc['spec'] as Spec;
  const { acknowledgedHosts = [] } = regions.find(({ name }) => name === region) ?? {};
  return acknowledgedHosts.some((each) => each.pod === pod && each.hostId === hostId);
}

/** DESIGN invariant 5. */
export const nothingRecordedIsForgotten: Invariant = {
  name: 'nothing recorded is forgotten',
  statement:
    'What the status recorded of a region (identity, seeds, hosts) and of the ring (founder, seeds) stays there, the seeds in their order, whether the region answers or not: whoever forgets it founds a second ring or takes a lost disk for a new one.',
  watch: (facts) => ({
    onWrite: ({ by, plural, subresource, succeeded, before, after }) => {
      if (plural !== 'multicassandraclusters' || subresource !== 'status' || !succeeded || !after) return undefined;
      const [was, is] = [statusOf(before), statusOf(after)];
      if (was.ring?.founder !== undefined && was.ring.founder !== is.ring?.founder) {
        return `${by} recorded ${is.ring?.founder} as the founder in the place of ${was.ring.founder}`;
      }
      const spec = after['spec'] as Spec;
      const lost = (was.seeds ?? []).filter((seed) => !is.seeds?.includes(seed) && isAsked(spec, is, facts, seed));
      if (lost.length > 0) return `${by} took the seeds ${lost.join(', ')} out of the status`;
      const [kept, left] = [inBoth(was.seeds, is.seeds), inBoth(is.seeds, was.seeds)];
      if (!isDeepStrictEqual(kept, left)) return `${by} moved the seeds ${kept.join(', ')} to ${left.join(', ')}`;
      for (const region of was.regions ?? []) {
        const now = is.regions?.find((each) => each.name === region.name);
        if (now?.stage === 'Removed') continue;
        // Nodes that are given up may go on by themselves, and are forgotten all the same.
        const isAbandoned =
          now?.stage === 'Abandoned' ||
          (now?.leavingSince !== undefined &&
            spec.regions.some(({ name, state }) => name === region.name && state === 'Abandoned'));
        if (region.identity && !now) return `${by} took region ${region.name} out of the status`;
        if (region.identity?.memberUID !== undefined && now?.identity?.memberUID === undefined) {
          return `${by} forgot the member of region ${region.name}`;
        }
        const forgotten = (region.hosts ?? []).filter(
          ({ pod, hostId }) =>
            !now?.hosts?.some((each) => each.pod === pod) &&
            !isAbandoned &&
            !hasLeft(facts, region.name, pod, hostId, now?.leavingSince !== undefined),
        );
        if (forgotten.length > 0) {
          return `${by} forgot the hosts of ${forgotten.map(({ pod }) => pod).join(', ')} in region ${region.name}`;
        }
        for (const { pod, hostId } of now?.hosts ?? []) {
          const known = region.hosts?.find((each) => each.pod === pod)?.hostId;
          if (known === undefined || known === hostId || acknowledges(after, region.name, pod, hostId)) continue;
          return `${by} recorded host ${hostId} of pod ${pod} in the place of ${known}, and nobody had acknowledged that`;
        }
      }
      return undefined;
    },
  }),
};

function inBoth(some: readonly string[] = [], others: readonly string[] = []): string[] {
  return some.filter((each) => others.includes(each));
}

/** Whether the spec still asks for the pod that this seed is the address of. */
function isAsked({ regions }: Spec, status: Status, { shape }: Facts, seed: string): boolean {
  const [pod = ''] = seed.split('.');
  return regions.some((region) => {
    const stage = status.regions?.find(({ name }) => name === region.name)?.stage;
    if (stage === 'Removed' || stage === 'Abandoned') return false;
    const size = shape.regions.find(({ name }) => name === region.name)?.nodesPerRacks;
    const datacenters = region.datacenters ?? [{ name: region.name }];
    const datacenter = datacenters.find(({ name }) => pod.includes(`-${name}-`));
    return datacenter !== undefined && ordinalOf(pod) < (datacenter.nodesPerRacks ?? size ?? 1);
  });
}

/** Whether the member has no such pod any more, and its node has left the ring. */
function hasLeft(facts: Facts, region: string, pod: string, hostId: string, isLeaving: boolean): boolean {
  const member = facts.member(region);
  const { datacenters } = member ? casskop.topology(member) : { datacenters: [] };
  const size = datacenters.find(({ name }) => pod.includes(`-${name}-`))?.nodesPerRacks;
  const isInRing = [...facts.ring().nodes].some((node) => node.hostId === hostId && node.mode === 'NORMAL');
  if (isLeaving) return !isInRing;
  return size !== undefined && ordinalOf(pod) >= size && !isInRing;
}

function ordinalOf(pod: string): number {
  return Number(pod.split('-').at(-1));
}

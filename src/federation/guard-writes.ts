import { perObject } from '../edges/per-object.ts';
import { type KubeObject, resources } from '../kube/objects.ts';
import { annotations, managedByLabel } from './bookkeeping.ts';
import { annotationsFor, type PlanContext } from './context.ts';
import { guardData, guardName, isGuardName } from './guard/guard.ts';
import { foundsRing, ignitionPod } from './hosts.ts';
import type { Intent, Write } from './intents.ts';
import type { KnownPicture } from './picture.ts';

/**
 * The guard ConfigMap of one region: who may start alone, who has joined. The same `joined` list goes to every region; only the founder's
 * names a pod under `ignition`, and only until the first node of the ring was proven NORMAL. From then on a pod that
 * lost its disk can never start a second ring.
 */
export function wantedGuard(context: PlanContext, picture: KnownPicture): KubeObject {
  const { federation, memory, hosts, pictures } = context;
  const first = ignitionPod(memory, pictures);
  const founds = foundsRing(context, picture) && first !== undefined;
  const address = memory.planned.find((seed) => seed.pod === first)?.address;
  const scripts = userScripts(context, picture);
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {
      name: guardName(federation.clusterName),
      namespace: picture.region.namespace,
      labels: managedByLabel,
      annotations: {
        ...annotationsFor(context, picture),
        ...(picture.leavingSince !== undefined && { [annotations.leavingSince]: picture.leavingSince }),
        ...(memory.abandonedHosts.length > 0 && {
          [annotations.abandonedHosts]: JSON.stringify(memory.abandonedHosts),
        }),
      },
    },
    data: guardData({
      ignition: founds && address !== undefined ? [{ pod: first, address }] : outsideSeeds(context),
      joined: joinedPods(hosts.joined),
      waitSeconds: federation.seeds.guardWaitSeconds,
      closed: closedPods(context, picture),
      userPreRun: scripts.preRun,
      userPostRun: scripts.postRun,
    }),
  };
}

/**
 * Seeds of a ring that exists already. Until the first node of ours has joined it nobody knows a host ID of it, so their addresses are trusted; no pod
 * bears their names, so none may start alone.
 */
function outsideSeeds({ federation, hosts }: PlanContext): { pod: string; address: string }[] {
  if (hosts.joined.size > 0) return [];
  return federation.seeds.external.map((address, index) => ({ pod: `external-${index}`, address }));
}

/** In a region that leaves: every pod that has left, or has never come in. The others may restart until it is their turn. */
function closedPods({ federation, operator, hosts }: PlanContext, { region, leavingSince }: KnownPicture): string[] {
  if (leavingSince === undefined) return [];
  if (region.state === 'Abandoned') return ['*'];
  return operator
    .pods(federation, region)
    .map(({ name }) => name)
    .filter((name) => !hosts.joined.has(name));
}

/** One list for all regions of a pass. */
const joinedPods = perObject((joined: ReadonlyMap<string, string>) =>
  [...joined].map(([pod, hostId]) => ({ pod, hostId })),
);

/** What brings the region's guard up to date; nothing when it is. The ConfigMap may not be somebody else's (gates.ts). */
export function guardIntent(context: PlanContext, picture: KnownPicture): Intent | undefined {
  const wanted = wantedGuard(context, picture);
  const region = picture.region.name;
  const there = picture.guard?.object;
  if (there === undefined) {
    const why = `create the guard of region ${region}, before any pod can start there`;
    return { region, why, write: { verb: 'create', resource: resources.configMaps, object: wanted } };
  }
  const { uid = '', resourceVersion = '' } = there.metadata;
  const paths = outdatedScripts(there, wanted);
  if (paths.length > 0) {
    const ref = { namespace: picture.region.namespace, name: there.metadata.name };
    const why = `take scripts out of the guard of region ${region} that the user's ConfigMap no longer holds`;
    return {
      region,
      why,
      write: { verb: 'removeFields', resource: resources.configMaps, ref, uid, resourceVersion, paths },
    };
  }
  if (isCurrent(there, wanted)) return undefined;
  const object = { ...wanted, metadata: { ...wanted.metadata, uid, resourceVersion } };
  const why = `tell the guard of region ${region} which nodes have joined the ring`;
  return { region, why, write: { verb: 'update', resource: resources.configMaps, object } };
}

/** Whether a write is to a guard, and not to another ConfigMap. */
export function isGuardWrite(write: Write): boolean {
  const { name } = 'ref' in write ? write.ref : write.object.metadata;
  return write.resource.plural === resources.configMaps.plural && isGuardName(name);
}

/** Keys of somebody else's are none of our business, but the scripts of the user run, and must be those of now. */
function outdatedScripts(there: KubeObject, wanted: KubeObject): string[] {
  const keys = (object: KubeObject): string[] => Object.keys((object['data'] as object | undefined) ?? {});
  return ['user_pre_run.sh', 'user_post_run.sh']
    .filter((key) => keys(there).includes(key) && !keys(wanted).includes(key))
    .map((key) => `/data/${key}`);
}

/** The stamp says who wrote last; by itself it is no reason to write. */
function isCurrent(there: KubeObject, wanted: KubeObject): boolean {
  const data = there['data'] as Record<string, string> | undefined;
  return (
    Object.entries(wanted['data'] as Record<string, string>).every(([key, value]) => data?.[key] === value) &&
    Object.entries(wanted.metadata.annotations ?? {}).every(
      ([name, value]) => name === annotations.stamp || there.metadata.annotations?.[name] === value,
    )
  );
}

/**
 * The user's own scripts. While their ConfigMap cannot be read, what the guard holds of them stays: a pod must not start without
 * what it always started with.
 */
function userScripts(context: PlanContext, picture: KnownPicture): { preRun?: string; postRun?: string } {
  const name = picture.region.memberSpec['configMapName'];
  if (typeof name !== 'string') return {};
  const scripts = context.snapshot.userScripts[name];
  const found = scripts?.known && scripts.found ? scripts.data : undefined;
  const there = picture.guard?.object['data'] as Record<string, string> | undefined;
  const preRun = found ? found['pre_run.sh'] : there?.['user_pre_run.sh'];
  const postRun = found ? found['post_run.sh'] : there?.['user_post_run.sh'];
  return { ...(preRun !== undefined && { preRun }), ...(postRun !== undefined && { postRun }) };
}

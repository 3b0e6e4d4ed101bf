import * as z from 'zod';
import { at } from '../../api/json.ts';
import { perObject } from '../../edges/per-object.ts';
import type { KubeObject } from '../../kube/objects.ts';
import type { MemberState, ReadInput, SettledReason } from '../operator.ts';
import { racksOrderedToRestart } from './changes.ts';
import { isPodOperation } from './pod-operations.ts';
import { isInjecting, seedsVariable } from './render.ts';
import { type RackAction, voidActions } from './void-actions.ts';

const action = z.looseObject({ name: z.string().optional(), status: z.string().optional() });

const memberStatus = z.looseObject({
  phase: z.string().optional(),
  lastClusterAction: z.string().optional(),
  lastClusterActionStatus: z.string().optional(),
  seedlist: z.array(z.string()).optional(),
  cassandraRackStatus: z
    .record(
      z.string(),
      z.looseObject({
        phase: z.string().optional(),
        cassandraLastAction: action.optional(),
        podLastOperation: action.optional(),
      }),
    )
    .optional(),
});
type MemberStatus = z.infer<typeof memberStatus>;

const statefulSet = z.looseObject({
  metadata: z.looseObject({ name: z.string(), generation: z.number().optional() }),
  spec: z.looseObject({
    replicas: z.number().optional(),
    template: z.looseObject({
      spec: z.looseObject({
        containers: z.array(z.looseObject({ name: z.string(), image: z.string().optional() })).optional(),
        initContainers: z
          .array(
            z.looseObject({
              name: z.string(),
              env: z.array(z.looseObject({ name: z.string(), value: z.string().optional() })).optional(),
            }),
          )
          .optional(),
      }),
    }),
  }),
  status: z
    .looseObject({
      observedGeneration: z.number().optional(),
      readyReplicas: z.number().optional(),
      currentRevision: z.string().optional(),
      updateRevision: z.string().optional(),
    })
    .optional(),
});
type StatefulSet = z.infer<typeof statefulSet>;

/** CassKop keeps the object it last processed in here, generation included. It has no observedGeneration. */
const processedAnnotation = 'cassandraclusters.db.orange.com/last-applied-configuration';
const underWay = new Set(['ToDo', 'Configuring', 'Ongoing', 'Continue', 'Finalizing']);

/**
 * What CassKop has made of its CassandraCluster. Its own words are not enough: Running and Done still stand right
 * after a spec change that it has not seen, and again after one that it refused. So settled also asks that CassKop
 * processed the object's generation, and that the StatefulSets themselves carry our seeds and have rolled out.
 */
export function readMember({ member, statefulSets, seeds, replicas }: ReadInput): MemberState {
  const status = statusOf(member);
  const sets = statefulSets.flatMap((each) => {
    const set = readStatefulSet(each);
    return set && replicas[set.metadata.name] !== undefined ? [set] : [];
  });
  const [reason, message] = unsettled(member, status, sets, seeds, replicas) ?? ['Settled', 'nothing is under way'];
  return {
    settled: reason === 'Settled',
    reason,
    message,
    statusSeeds: status.seedlist,
    injecting: isInjecting(member),
    scalingDown: isScalingDown(status, sets, replicas),
    rejected: status.lastClusterAction === 'CorrectCRDConfig',
    wrongSeeds: sets.filter((set) => !startsWith(set, seeds)).map((set) => set.metadata.name),
    voidActions: processed(member) ? voidActions(member, actionsOf(status), statefulSets, replicas) : undefined,
  };
}

function actionsOf({ cassandraRackStatus = {} }: MemberStatus): Record<string, RackAction | undefined> {
  return Object.fromEntries(
    Object.entries(cassandraRackStatus).map(([rack, { cassandraLastAction }]) => [rack, cassandraLastAction]),
  );
}

/** From our write on, before CassKop has begun, until it says that the last node has left. */
function isScalingDown(
  status: MemberStatus,
  sets: readonly StatefulSet[],
  replicas: Readonly<Record<string, number>>,
): boolean {
  const leaving = (each: z.infer<typeof action> | undefined): boolean =>
    (each?.name === 'ScaleDown' || each?.name === 'decommission') && each.status !== 'Done';
  return (
    sets.some((set) => (set.spec.replicas ?? 0) > (replicas[set.metadata.name] ?? 0)) ||
    (status.lastClusterAction === 'ScaleDown' && status.lastClusterActionStatus !== 'Done') ||
    Object.values(status.cassandraRackStatus ?? {}).some(
      (rack) => leaving(rack.cassandraLastAction) || leaving(rack.podLastOperation),
    )
  );
}

/**
 * Pods that are not ready and were made from an older template than the StatefulSet has by now. Its controller waits for
 * such a pod before it goes on, for ever if the pod can never start. Only where the template shows that CassKop has
 * written what the member says.
 */
export function obsoletePods({ member, statefulSets, replicas }: ReadInput, pods: readonly KubeObject[]): KubeObject[] {
  const image = at(member, ['spec', 'cassandraImage']);
  return statefulSets.flatMap((object) => {
    const set = readStatefulSet(object);
    if (!set || replicas[set.metadata.name] === undefined) return [];
    const isObserved = (set.status?.observedGeneration ?? 0) >= (set.metadata.generation ?? 0);
    const cassandra = set.spec.template.spec.containers?.find((container) => container.name === 'cassandra');
    const revision = set.status?.updateRevision;
    if (!isObserved || revision === undefined || cassandra?.image !== image) return [];
    return pods.filter((pod) => {
      const { name, labels, deletionTimestamp } = pod.metadata;
      const isOfSet =
        name.startsWith(`${set.metadata.name}-`) && /^\d+$/.test(name.slice(set.metadata.name.length + 1));
      return (
        isOfSet && deletionTimestamp === undefined && !isReady(pod) && labels?.['controller-revision-hash'] !== revision
      );
    });
  });
}

function isReady(pod: KubeObject): boolean {
  const conditions = at(pod, ['status', 'conditions']) as { type: string; status: string }[] | undefined;
  return conditions?.some((each) => each.type === 'Ready' && each.status === 'True') ?? false;
}

const statusOf = perObject((member: KubeObject): MemberStatus => memberStatus.safeParse(member['status']).data ?? {});
const readStatefulSet = perObject((object: KubeObject): StatefulSet | undefined => statefulSet.safeParse(object).data);

function unsettled(
  member: KubeObject,
  status: MemberStatus,
  sets: readonly StatefulSet[],
  seeds: readonly string[],
  replicas: Readonly<Record<string, number>>,
): [SettledReason, string] | undefined {
  if (!processed(member))
    return ['NotProcessed', 'CassKop has not processed the last change of the CassandraCluster yet'];
  if (status.phase === 'Initializing') return ['Initializing', 'CassKop starts the pods'];
  if (status.phase !== 'Running')
    return ['Pending', `CassKop says phase ${status.phase ?? 'nothing'}: a pod is not ready`];
  if (status.lastClusterActionStatus !== 'Done') {
    return [
      'ActionUnderWay',
      `CassKop's ${status.lastClusterAction ?? 'action'} is ${status.lastClusterActionStatus ?? 'not started'}`,
    ];
  }
  const ordered = racksOrderedToRestart(member);
  if (ordered.length > 0) return ['ActionUnderWay', `CassKop has yet to restart rack ${ordered.join(', ')}`];
  const racks = status.cassandraRackStatus ?? {};
  for (const [rack, state] of Object.entries(racks)) {
    if (state.phase !== 'Running') return ['Pending', `rack ${rack} is ${state.phase ?? 'without a phase'}`];
    if (state.cassandraLastAction?.status !== 'Done') {
      return ['ActionUnderWay', `rack ${rack}: ${state.cassandraLastAction?.name ?? 'an action'} is under way`];
    }
    if (underWay.has(state.podLastOperation?.status ?? '') && !isPodOperation(state.podLastOperation?.name)) {
      return ['ActionUnderWay', `rack ${rack}: ${state.podLastOperation?.name ?? 'a pod operation'} is under way`];
    }
  }
  if (Object.keys(racks).length !== Object.keys(replicas).length) {
    return ['PodsDiffer', `CassKop knows racks ${Object.keys(racks).join(', ') || 'none'} only`];
  }
  if (!sameList(status.seedlist, seeds)) return ['SeedsDiffer', 'CassKop holds another seed list than the federation'];
  return unsettledSets(sets, seeds, replicas) ?? podOperations(status);
}

function podOperations(status: MemberStatus): [SettledReason, string] | undefined {
  for (const [rack, { podLastOperation: last }] of Object.entries(status.cassandraRackStatus ?? {})) {
    if (underWay.has(last?.status ?? '')) return ['PodOperation', `rack ${rack}: ${last?.name} is under way`];
  }
  return undefined;
}

function unsettledSets(
  sets: readonly StatefulSet[],
  seeds: readonly string[],
  replicas: Readonly<Record<string, number>>,
): [SettledReason, string] | undefined {
  for (const [name, wanted] of Object.entries(replicas)) {
    const set = sets.find((each) => each.metadata.name === name);
    if (!set) return ['PodsDiffer', `StatefulSet ${name} does not exist yet`];
    if (!startsWith(set, seeds)) {
      const cure = `CassKop 2.3.0 to 2.3.2 takes the seeds of a new cluster only once its StatefulSet was deleted: kubectl delete statefulset ${name}, before it has data`;
      return ['SeedsDiffer', `the pods of StatefulSet ${name} start with other seeds. ${cure}`];
    }
    const observed = (set.status?.observedGeneration ?? 0) >= (set.metadata.generation ?? 0);
    const rolled = set.status?.currentRevision === set.status?.updateRevision;
    const ready = set.status?.readyReplicas ?? 0;
    if (set.spec.replicas !== wanted || !observed || !rolled || ready !== wanted) {
      return ['PodsDiffer', `StatefulSet ${name} has ${ready} of ${wanted} pods ready`];
    }
  }
  return undefined;
}

/**
 * True when CassKop has processed the generation that the server holds. The annotation is a whole object in one
 * string, tens of kilobytes with its managedFields; `generation` is the first number of that name in Go's field order.
 */
const processed = perObject((member: KubeObject): boolean => {
  const lastProcessed = /"generation":(\d+)/.exec(member.metadata.annotations?.[processedAnnotation] ?? '')?.[1];
  return lastProcessed !== undefined && Number(lastProcessed) >= (member.metadata.generation ?? 0);
});

function startsWith(set: StatefulSet, seeds: readonly string[]): boolean {
  const bootstrap = set.spec.template.spec.initContainers?.find((container) => container.name === 'bootstrap');
  return bootstrap?.env?.some((each) => each.name === seedsVariable && each.value === joined(seeds)) ?? false;
}

const joined = perObject((seeds: readonly string[]) => seeds.join(','));

/** Order counts: CassKop compares its seed lists so, and rolls the pods for a mere reorder. */
export function sameList(one: readonly string[] | undefined, other: readonly string[]): boolean {
  return one?.length === other.length && one.every((item, index) => item === other[index]);
}

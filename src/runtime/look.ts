import { effective } from '../api/effective.ts';
import type { MultiCassandraCluster } from '../api/schema.ts';
import { type Clock, sleep } from '../edges/clock.ts';
import type { Random } from '../edges/random.ts';
import { observe } from '../federation/observe.ts';
import { isReady } from '../federation/picture.ts';
import { keyOf, type Looked, type Snapshot, type UnknownRegion } from '../federation/snapshot.ts';
import { isKubeError } from '../kube/errors.ts';
import { transitionsMax } from '../kube/lease.ts';
import { resources } from '../kube/objects.ts';
import type { RegionalOperator } from '../operators/operator.ts';
import type { RegionRegistry } from '../regions/registry.ts';
import type { Logger } from '../telemetry/logger.ts';
import { RegionNamespace } from './region.ts';

export interface LookOptions {
  regions: RegionRegistry;
  operator: RegionalOperator;
  clock: Clock;
  random: Random;
  logger: Logger;
  /** How long to wait for regions that do not answer, milliseconds. */
  patienceMs: number;
}

/** How often it is asked whether all is read, milliseconds. */
const againMs = 100;

/**
 * Looks at the regions of one MultiCassandraCluster once, without writing anything. A region that does not answer in time
 * is unknown in the snapshot.
 * @throws KubeError when the hub cannot be asked; the signal's reason when it aborts.
 */
export async function look(mcc: MultiCassandraCluster, options: LookOptions, signal: AbortSignal): Promise<Snapshot> {
  const { clock, operator, patienceMs } = options;
  const federation = effective(mcc);
  const end = new AbortController();
  const running: Promise<void>[] = [];
  const engaged = new Map<string, RegionNamespace>();
  const region = (context: string, namespace: string): RegionNamespace | UnknownRegion => {
    const id = `${context}/${namespace}`;
    const known = engaged.get(id);
    if (known) return known;
    const place = engage(options, federation.namespace, context, namespace);
    if ('known' in place) return place;
    engaged.set(id, place);
    place.setPace('look', 'fast');
    running.push(place.run(end.signal));
    return place;
  };
  const hubObjects = await readHubObjects(options, mcc, signal);
  const snapshot = (): Snapshot =>
    observe(mcc, operator, {
      nowMs: clock.now(),
      monotonicMs: clock.monotonic(),
      leaseTransitions: transitionsMax,
      region: (context, namespace) => {
        const there = region(context, namespace);
        return 'known' in there ? there : there.caches('look');
      },
      hubObject: (kind, _namespace, name) => hubObjects[keyOf({ kind, name })] ?? { known: true, object: undefined },
      refusedWrites: {},
    });
  try {
    const until = clock.monotonic() + patienceMs;
    for (;;) {
      const taken = snapshot();
      if (isComplete(taken) || clock.monotonic() >= until) return taken;
      await sleep(clock, againMs, signal);
    }
  } finally {
    end.abort();
    await Promise.all(running);
  }
}

function engage(
  { regions, operator, clock, random, logger }: LookOptions,
  hubNamespace: string,
  context: string,
  namespace: string,
): RegionNamespace | UnknownRegion {
  const handle = regions.get(context);
  if (!handle) {
    const message =
      regions.pending === undefined
        ? `no region ${context} is registered`
        : `context ${context} is not known yet: ${regions.pending}`;
    return { known: false, reason: regions.pending === undefined ? 'UnknownContext' : 'NotSynced', message };
  }
  if ('refused' in handle)
    return { known: false, reason: 'RegistrationRefused', message: `context ${context}: ${handle.refused}` };
  const forbidden = handle.tenancyProblem(hubNamespace, namespace);
  if (forbidden !== undefined)
    return { known: false, reason: 'NamespaceNotAllowed', message: `context ${context}: ${forbidden}` };
  return new RegionNamespace({
    context,
    namespace,
    client: handle.clientFor(hubNamespace, namespace),
    operator,
    clock,
    random,
    logger,
    reachable: () => true,
    isSteady: () => true,
    onChange: () => undefined,
    onWatchRestart: () => undefined,
  });
}

/** Whether all is read that can be: every region, and the view of every node that answers. */
function isComplete({ regions }: Snapshot): boolean {
  return Object.values(regions).every((each) => {
    if (!each.known)
      return (
        each.reason === 'UnknownContext' ||
        each.reason === 'RegistrationRefused' ||
        each.reason === 'NamespaceNotAllowed'
      );
    const isRead = Object.values(each.named).every((looked) => looked.known || looked.isForbidden);
    return (
      isRead &&
      each.pods.every((pod) => {
        const { name } = pod.metadata;
        return !isReady(pod) || each.views[name] !== undefined || each.unreadable[name] !== undefined;
      })
    );
  });
}

/** What the MultiCassandraCluster names in its own namespace of the hub, each asked for once. */
async function readHubObjects(
  { regions, operator }: LookOptions,
  mcc: MultiCassandraCluster,
  signal: AbortSignal,
): Promise<Record<string, Looked>> {
  const { namespace, regions: wanted } = effective(mcc);
  const named = wanted.flatMap(({ memberSpec }) => {
    const { configMapName: name } = memberSpec;
    const scripts = typeof name === 'string' ? [{ kind: 'ConfigMap' as const, name }] : [];
    return [...scripts, ...operator.references(memberSpec)];
  });
  const found = [...new Map(named.map((each) => [keyOf(each), each]))].map(
    async ([key, { kind, name }]): Promise<[string, Looked]> => {
      const resource = kind === 'Secret' ? resources.secrets : resources.configMaps;
      try {
        return [key, { known: true, object: await regions.hub.client.get(resource, { namespace, name }, signal) }];
      } catch (error) {
        if (!isKubeError(error)) throw error;
        if (error.code === 'NotFound') return [key, { known: true, object: undefined }];
        return [
          key,
          { known: false, message: error.message, ...(error.code === 'Forbidden' && { isForbidden: true }) },
        ];
      }
    },
  );
  return Object.fromEntries(await Promise.all(found));
}

import { at } from '../../api/json.ts';
import { parsePointer } from '../../api/merge.ts';
import { perObject } from '../../edges/per-object.ts';
import type { KubeObject } from '../../kube/objects.ts';
import type { Change, ChangeKind, Topology } from '../operator.ts';
import { difference, isObject, type JsonObject, normalise } from './normalise.ts';
import { compareQuantities } from './quantity.ts';

/**
 * Fields that CassKop takes without touching a pod; service.annotations it reads only when it creates the service, deletePVC when the
 * member is deleted.
 */
const benign = new Set(['autoPilot', 'deletePVC', 'keyspaceCleanupThreads', 'maxPodUnavailable', 'service']);

/** Fields that may not change once there is a member, and what to do instead. */
const fixed: Readonly<Record<string, string>> = {
  storageConfigs: 'StatefulSets cannot change their volumes, so CassKop would refuse every later change of the rack.',
  debug: 'It changes the containers of running pods in a way CassKop does not roll out.',
  autoUpdateSeedList: "With it CassKop drops the other regions' seeds.",
  noCheckStsAreEqual: 'With it CassKop rewrites its StatefulSets on every pass.',
  dataStorageClass: 'Volumes cannot change their class; CassKop puts it back.',
};
const anotherRegion =
  'Add another region with the same context and another namespace, let it join, and remove this one when its data is there.';

/**
 * What turns `live` into `wanted`, field by field, and what CassKop 2.3.4 does for each (read in its generator, and run). What
 * is not known to be harmless counts as a restart.
 * @param gone JSON pointers into the spec of fields that we once set and do not want any more.
 */
export function memberChanges(wanted: KubeObject, live: KubeObject, gone: readonly string[]): readonly Change[] {
  const spec = normalise(wanted['spec']) as JsonObject;
  const there = normalise(live['spec']) as JsonObject;
  const { topology, ...rest } = spec;
  const paths = [...difference(rest, there), ...gone.filter((path) => !path.startsWith('/topology'))];
  return [
    ...paths.map((path) =>
      fieldChange(path, valueAt(there, path), gone.includes(path) ? undefined : valueAt(spec, path)),
    ),
    ...topologyChanges(datacentersOf({ topology }), datacentersOf(there)),
  ];
}

function fieldChange(path: string, from: unknown, to: unknown): Change {
  const [field = ''] = parsePointer(path) ?? [];
  const change = (kind: ChangeKind, message?: string): Change => ({
    path: `/spec${path}`,
    kind,
    from,
    to,
    ...(message !== undefined && { message }),
  });
  if (field === 'autoUpdateSeedList' && to === false) return change('benign');
  if (fixed[field] !== undefined) return change('forbidden', `${fixed[field]} Put the old value back.`);
  if (field === 'dataCapacity') {
    const grows = typeof from === 'string' && typeof to === 'string' && compareQuantities(from, to) < 0;
    if (grows) return change('storage');
    return change('forbidden', `Volumes can grow, but neither shrink nor come and go. Put it back. ${anotherRegion}`);
  }
  return change(benign.has(field) ? 'benign' : 'restart');
}

function topologyChanges(wanted: readonly JsonObject[], live: readonly JsonObject[]): Change[] {
  const path = (index: number, field?: string): string => `/spec/topology/dc/${index}${field ? `/${field}` : ''}`;
  const changes = live.flatMap((there, index): Change[] => {
    const datacenter = wanted[index];
    if (!datacenter || datacenter['name'] !== there['name']) {
      const what = datacenter ? 'CassKop knows datacenters by their position' : 'a datacenter leaves with its region';
      const message = `Datacenters of a running region keep their names and their order: ${what}. Put ${String(there['name'])} back in its place.`;
      return [{ path: path(index), kind: 'forbidden', from: there['name'], to: datacenter?.['name'], message }];
    }
    return datacenterChanges(datacenter, there, (field) => path(index, field));
  });
  const added = wanted.slice(live.length).map((datacenter, index): Change => {
    const change = { path: path(live.length + index), from: undefined, to: datacenter };
    const large = live.find((there) => Number(there['nodesPerRacks'] ?? 1) > 1);
    if (!large) return { ...change, kind: 'datacenter' };
    const message =
      `CassKop would scale every rack of ${String(large['name'])} down to one node to start another datacenter beside it, and kill the rest. ` +
      'Give the new datacenter a region entry of its own, with the same context and another namespace.';
    return { ...change, kind: 'forbidden', message };
  });
  return [...changes, ...added];
}

function datacenterChanges(wanted: JsonObject, live: JsonObject, path: (field: string) => string): Change[] {
  const { rack: wantedRacks, nodesPerRacks: wantedNodes, name: _, ...rest } = wanted;
  const changes: Change[] = [];
  const from = Number(live['nodesPerRacks'] ?? 1);
  const to = Number(wantedNodes ?? 1);
  if (from !== to) changes.push({ path: path('nodesPerRacks'), kind: to > from ? 'scale-up' : 'scale-down', from, to });

  const racks = { wanted: listOf(wantedRacks), live: listOf(live['rack']) };
  const names = (list: readonly JsonObject[]): string => list.map((rack) => String(rack['name'])).join(', ');
  if (names(racks.wanted) !== names(racks.live)) {
    const message = `CassKop can neither add, remove nor reorder racks of a running datacenter. Put ${names(racks.live)} back. ${anotherRegion}`;
    changes.push({ path: path('rack'), kind: 'forbidden', from: names(racks.live), to: names(racks.wanted), message });
  } else {
    // A rack that is told to restart, or is held at a partition, says so here; that is nobody's wish but CassKop's or a person's.
    for (const [index, rack] of racks.wanted.entries()) {
      const there = racks.live[index];
      const labelsGone = !('labels' in rack) && there?.['labels'] !== undefined ? ['/labels'] : [];
      for (const found of [...difference(rack, there), ...labelsGone]) {
        const at = path(`rack/${index}${found}`);
        changes.push({ path: at, kind: 'restart', from: valueAt(there, found), to: valueAt(rack, found) });
      }
    }
  }
  const overrides = Object.fromEntries(
    Object.entries(live).filter(([field]) => !(field in wanted) && isOverride(field)),
  );
  const gone = Object.entries(overrides).filter(([, value]) => difference(value, undefined).length > 0);
  for (const found of difference(rest, live))
    changes.push(overrideChange(path(found.slice(1)), valueAt(live, found), valueAt(rest, found)));
  for (const [field, value] of gone) changes.push(overrideChange(path(field), value, undefined));
  return changes;
}

function overrideChange(path: string, from: unknown, to: unknown): Change {
  const field = path.split('/')[5] ?? '';
  if (field !== 'dataCapacity' && field !== 'dataStorageClass') return { path, kind: 'restart', from, to };
  const message = `CassKop cannot change the volumes of a single datacenter: it would delete and create its StatefulSets for ever. Put it back. ${anotherRegion}`;
  return { path, kind: 'forbidden', from, to, message };
}

const isOverride = (field: string): boolean =>
  ['labels', 'config', 'resources', 'dataCapacity', 'dataStorageClass'].includes(field);

/**
 * `wanted` with the old value at the place of every change in `held`: what is written while these have to wait. The changes
 * come from `memberChanges(wanted, live)`.
 */
export function withoutChanges(wanted: KubeObject, held: readonly Change[]): KubeObject {
  const copy = structuredClone(wanted);
  // Backwards, so that added list items go from the end.
  for (const { path, from } of [...held].reverse()) {
    const tokens = parsePointer(path) ?? [];
    const field = tokens.pop() ?? '';
    const parent = tokens.reduce<unknown>((node, token) => childOf(node, token), copy);
    if (Array.isArray(parent)) {
      if (from === undefined) parent.splice(Number(field), 1);
      else parent[Number(field)] = from;
    } else if (isObject(parent)) {
      if (from === undefined) delete parent[field];
      else parent[field] = from;
    }
  }
  return copy;
}

function childOf(node: unknown, token: string): unknown {
  if (Array.isArray(node)) return (node as unknown[])[Number(token)];
  if (!isObject(node)) return undefined;
  return (node[token] ??= {});
}

/** What nodes the member asks for now. */
export const memberTopology = perObject((member: KubeObject): Topology => ({
  datacenters: datacentersOf(member['spec']).map(({ name, nodesPerRacks, rack }) => ({
    name: String(name),
    nodesPerRacks: Number(nodesPerRacks ?? 1),
    racks: listOf(rack).map((each) => ({ name: String(each['name']) })),
  })),
}));

/** The member with a restart of every rack ordered; CassKop takes the order back once it has begun. */
export function withRollingRestart(member: KubeObject): KubeObject {
  return ordered(member, () => true);
}

/** `wanted` with the orders in `live` that CassKop has not begun: it restarts one rack after the other, and a write in between must not take them back. */
export function withOrdersOf(live: KubeObject, wanted: KubeObject): KubeObject {
  const pending = racksOrderedToRestart(live);
  return pending.length === 0 ? wanted : ordered(wanted, (rack) => pending.includes(rack));
}

function ordered(member: KubeObject, chosen: (rack: string) => boolean): KubeObject {
  const copy = structuredClone(member);
  for (const { key, rack } of racksOf(copy)) if (chosen(key)) rack['rollingRestart'] = true;
  return copy;
}

/** The racks whose restart is ordered and not begun. CassKop is at rest for a moment between two racks. */
export function racksOrderedToRestart(member: KubeObject): string[] {
  return racksOf(member).flatMap(({ key, rack }) => (rack['rollingRestart'] === true ? [key] : []));
}

function racksOf(member: KubeObject): { key: string; rack: JsonObject }[] {
  return datacentersOf(member['spec']).flatMap(({ name, rack }) =>
    listOf(rack).map((each) => ({ key: `${String(name)}-${String(each['name'])}`, rack: each })),
  );
}

function datacentersOf(spec: unknown): JsonObject[] {
  const inherited = at(spec, ['nodesPerRacks']) ?? 1;
  return listOf(at(spec, ['topology', 'dc'])).map((each) => ({ nodesPerRacks: inherited, ...each }));
}

function listOf(value: unknown): JsonObject[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

function valueAt(value: unknown, pointer: string): unknown {
  return at(value, parsePointer(pointer) ?? []);
}

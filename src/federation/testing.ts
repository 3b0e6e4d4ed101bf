import { effective } from '../api/effective.ts';
import type { MultiCassandraCluster } from '../api/schema.ts';
import { parsePointer } from '../api/merge.ts';
import type { KubeObject } from '../kube/objects.ts';
import type { Clock } from '../edges/clock.ts';
import { mccOf } from './mcc.fixture.ts';
import { casskop } from '../operators/casskop/casskop.ts';
import type { NodeView } from '../ring/view.ts';
import { readBookkeeping } from './bookkeeping.ts';
import { execute } from './execute.ts';
import { isGuardWrite } from './guard-writes.ts';
import type { Intent } from './intents.ts';
import { type Plan, plan } from './plan.ts';
import { CqlInMemory } from './testing-cql.ts';
import { carryOutOrders, labelPod, metadataOf, ownWords, type Pod } from './testing-pods.ts';
import {
  keyOf,
  type KnownRegion,
  type Looked,
  type RegionSnapshot,
  type Snapshot,
  type UnknownRegion,
} from './snapshot.ts';

export { mccOf };

/** The members' real schema is the harness's business; here every field is known. */
const anySchema = { properties: { spec: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } } };

/**
 * Regions in memory, just enough to drive the planner through a formation: objects keep resourceVersions and
 * generations, the regional operator makes StatefulSets and pods in one go, and nodes form rings as their seeds and
 * guard let them. Everything is synchronous and seen at once; the simulator is where delays and faults live.
 */
export class PlannerWorld {
  mcc: MultiCassandraCluster;
  nowMs = Date.parse('2026-01-01T00:00:00Z');
  readonly unknown = new Map<string, UnknownRegion>();
  /** Of the hub's objects, in place of what there is. */
  readonly sources = new Map<string, Looked>();
  readonly overrides = new Map<string, Partial<KnownRegion>>();
  readonly pods: Pod[] = [];
  /** Nodes of a ring that nobody of ours has made. */
  readonly outside: Pod[] = [];
  /** Hosts whose machines are gone, and that the others still know. */
  readonly ghosts: Pod[] = [];
  /** Pods whose nodes cannot hand their rows over when they are told to leave, and those that have tried. */
  readonly holding = new Set<string>();
  readonly halfLeft = new Set<string>();
  replication: Record<string, string> | undefined;
  /** What nodes were told to do and have done, or failed to, as `cleanup orders-eu-rack1-0`. */
  readonly operated: string[] = [];
  /** Pods whose nodes fail at what they are told. */
  readonly failing = new Set<string>();
  refusedWrites: Record<string, string> = {};
  /** Its keyspaces, for who logs in; why they could not be altered. */
  readonly cql = new CqlInMemory(
    () => this.pods.filter(({ left }) => !left).map(({ name }) => name.split('-')[1] ?? ''),
    () => this.replication ?? {},
  );
  cqlProblem: string | undefined;
  /** Racks, as in `eu-rack1`, whose restart the operator does not begin although it is ordered. */
  readonly waitingRacks = new Set<string>();
  /** What a region's operator says instead of that all is done. */
  readonly operatorStatus = new Map<string, Record<string, unknown>>();
  readonly written: Intent[] = [];
  readonly #members = new Map<string, KubeObject>();
  readonly #guards = new Map<string, KubeObject>();
  /** Secrets and ConfigMaps of the hub's namespace, by kind and name: `Secret registry`. */
  readonly hubObjects = new Map<string, KubeObject>();
  /** Those of the regions' namespaces beside the guards: `eu Secret registry`. */
  readonly regionObjects = new Map<string, KubeObject>();
  #version = 100;

  constructor(mcc: MultiCassandraCluster = mccOf()) {
    this.mcc = mcc;
  }

  member(region: string): KubeObject | undefined {
    return this.#members.get(region);
  }

  guard(region: string): Record<string, string> | undefined {
    return this.#guards.get(region)?.['data'] as Record<string, string> | undefined;
  }

  snapshot(): Snapshot {
    const regions = this.mcc.spec.regions.map(({ name }) => [name, this.#region(name)] as const);
    return {
      mcc: this.mcc,
      nowMs: this.nowMs,
      monotonicMs: this.nowMs,
      leaseTransitions: 0,
      userScripts: {},
      sources: Object.fromEntries(
        effective(this.mcc)
          .regions.flatMap(({ memberSpec }) => casskop.references(memberSpec))
          .map((each) => [
            keyOf(each),
            this.sources.get(keyOf(each)) ?? { known: true, object: this.hubObjects.get(keyOf(each)) },
          ]),
      ),
      refusedWrites: this.refusedWrites,
      ...(this.cqlProblem !== undefined && { cqlProblem: this.cqlProblem }),
      regions: Object.fromEntries(regions),
    };
  }

  plan(): Plan {
    return plan(this.snapshot(), casskop);
  }

  /** One pass: plan, write the status, send the intents, at most `limit` of all these writes. Returns how many there were. */
  async step(limit = Infinity): Promise<number> {
    const result = this.plan();
    let writes = 0;
    if (JSON.stringify(this.mcc.status) !== JSON.stringify(result.status) && writes < limit) {
      this.mcc = { ...this.mcc, status: result.status };
      writes += 1;
    }
    for (const intent of result.intents) {
      if (writes >= limit) break;
      await this.send(intent);
      writes += 1;
    }
    return writes;
  }

  /** Passes until nothing changes any more but the time; the operator and the nodes act between them. */
  async settle(): Promise<void> {
    for (let pass = 0; pass < 200; pass++) {
      const writes = await this.step();
      const acted = this.act();
      this.nowMs += 1_000;
      if (writes === 0 && !acted) return;
    }
    throw new Error(`does not settle: ${JSON.stringify(this.mcc.status?.conditions)}`);
  }

  async send(intent: Intent): Promise<void> {
    const { region } = intent;
    const { write } = intent;
    const { kind } = write.resource;
    const { name: written } = 'ref' in write ? write.ref : write.object.metadata;
    const isCopy = kind === 'Secret' || (kind === 'ConfigMap' && !isGuardWrite(write));
    const store = isCopy ? this.regionObjects : kind === 'ConfigMap' ? this.#guards : this.#members;
    const id = isCopy ? `${region} ${keyOf({ kind, name: written })}` : region;
    const put = (object: KubeObject): KubeObject => {
      const before = store.get(id);
      const merged: KubeObject = {
        ...before,
        ...structuredClone(object),
        metadata: {
          ...before?.metadata,
          ...object.metadata,
          uid: before?.metadata.uid ?? `uid-${(this.#version += 1)}`,
          resourceVersion: String((this.#version += 1)),
          generation: (before?.metadata.generation ?? 0) + 1,
        },
      };
      store.set(id, merged);
      return merged;
    };
    const refuse = (why: string): never => {
      throw new Error(`${intent.why}: ${why}`);
    };
    const check = (uid: string | undefined, resourceVersion: string | undefined): void => {
      const there = store.get(id)?.metadata;
      if (there?.resourceVersion !== resourceVersion || (uid !== undefined && there?.uid !== uid)) refuse('conflict');
    };
    const unused = (): never => refuse('not a verb of the planner');
    const [outcome] = await execute(
      [intent],
      {
        clock: { timer: () => ({ cancel: () => undefined }) } as unknown as Clock,
        client: () => ({
          apply: async (_resource, object) => {
            if (object.metadata.resourceVersion === '1') {
              if (store.has(id)) refuse('exists');
            } else check(object.metadata.uid, object.metadata.resourceVersion);
            return Promise.resolve(put(object));
          },
          patchStatus: async (_resource, _ref, resourceVersion, status) => {
            check(undefined, resourceVersion);
            const before = store.get(id) ?? refuse('missing');
            return Promise.resolve(put({ ...before, status: { ...(before['status'] as object), ...status } }));
          },
          get: unused,
          list: unused,
          watch: unused,
          jsonPatch: async (resource, { name: podName }, operations) => {
            if (resource.kind === 'Pod') return Promise.resolve(labelPod(this.pods, podName, operations));
            const patched = structuredClone(store.get(id) ?? refuse('missing'));
            for (const { op, path, value } of operations) {
              const tokens = parsePointer(path) ?? [];
              const field = tokens.pop() ?? '';
              const parent = tokens.reduce<Record<string, unknown>>(
                (node, token) => node[token] as Record<string, unknown>,
                patched,
              );
              if (op === 'test' && parent[field] !== value) refuse(`test of ${path}`);
              else if (op === 'remove') delete parent[field];
              else if (op === 'add') parent[field] = value;
            }
            return Promise.resolve(put(patched));
          },
          create: unused,
          createToken: unused,
          replace: unused,
          delete: (_resource, { name }, { uid, resourceVersion }) => {
            if (isCopy) {
              check(uid, resourceVersion);
              store.delete(id);
              return Promise.resolve(undefined);
            }
            if (kind !== 'Pod') {
              check(uid, resourceVersion);
              store.delete(id);
              return Promise.resolve(undefined);
            }
            const index = this.pods.findIndex((pod) => pod.name === name);
            if (index < 0 || this.pods[index]?.ready) refuse('no such pod, or it is ready');
            this.pods.splice(index, 1);
            return Promise.resolve(undefined);
          },
          podProxyGet: (_namespace, pod, _port, path) => Promise.resolve({ status: 200, body: this.#ask(pod, path) }),
          getPath: unused,
        }),
        seen: () => undefined,
        doubt: () => undefined,
        cql: {
          open: this.cql.open,
          hub: {
            get: (_resource, { name }) => Promise.resolve(this.hubObjects.get(`Secret ${name}`) ?? refuse('missing')),
          },
          permit: () => new AbortController().signal,
          altered: () => undefined,
        },
      },
      new AbortController().signal,
    );
    if (write.verb === 'cql') this.cqlProblem = outcome?.error?.message;
    this.written.push(intent);
  }

  /** A member that somebody else has written, and its pods, as they run; `seeds` is what its operator starts them with. */
  place(region: string, spec: Record<string, unknown>, { seeds, pods }: { seeds: string[]; pods: string[] }): void {
    const metadata = {
      name: 'orders',
      uid: `uid-of-${region}`,
      resourceVersion: String((this.#version += 1)),
      generation: 1,
    };
    this.#members.set(region, { metadata, spec, status: { seedlist: seeds } });
    for (const name of pods) this.#run(region, name);
  }

  /** The region's machines are gone at once, and its API server with them. */
  lose(region: string): void {
    for (const pod of this.pods.filter((each) => each.region === region)) {
      this.ghosts.push(pod);
      this.pods.splice(this.pods.indexOf(pod), 1);
    }
    this.#members.delete(region);
    this.#guards.delete(region);
    this.unknown.set(region, { known: false, reason: 'Unreachable', message: `context ${region}: no answer` });
  }

  /** What a node's Jolokia port answers. */
  #ask(name: string, path: string): string {
    const pod = this.pods.find((each) => each.name === name);
    const [, host] = /removeNode\/(.*)$/.exec(path) ?? [];
    if (path.includes('/exec/') && pod && host === undefined) {
      if (this.holding.has(name)) this.halfLeft.add(name);
      else pod.left = true;
    }
    const ghost = this.ghosts.findIndex(({ hostId }) => hostId === host);
    if (ghost >= 0) this.ghosts.splice(ghost, 1);
    const value = { ...ownWords, LocalHostId: pod?.hostId, EndpointToHostId: pod && this.viewOf(pod).hosts };
    return JSON.stringify({ status: 200, value });
  }

  /** Lets the regional operators and the nodes do one round; true when anything changed. */
  act(): boolean {
    const before = JSON.stringify([this.pods, [...this.#members]]);
    const kept = this.pods.filter(({ region }) => this.#members.has(region) || this.unknown.has(region));
    // The others go on knowing a node that was stopped without having left.
    this.ghosts.push(...this.pods.filter((pod) => !kept.includes(pod) && !pod.left));
    this.pods.splice(0, this.pods.length, ...kept);
    this.operated.push(...carryOutOrders(this.pods, this.failing));
    for (const [region, member] of this.#members) {
      const spec = member['spec'] as {
        topology: { dc: { name: string; nodesPerRacks: number; rack: { name: string; rollingRestart?: boolean }[] }[] };
      };
      for (const dc of spec.topology.dc) {
        for (const rack of dc.rack) if (!this.waitingRacks.has(`${dc.name}-${rack.name}`)) delete rack.rollingRestart;
      }
      const racks = spec.topology.dc.flatMap((dc) =>
        dc.rack.map((rack) => ({ dc: dc.name, rack: rack.name, nodes: dc.nodesPerRacks })),
      );
      const status = (member['status'] ?? {}) as { seedlist?: string[] };
      this.#members.set(region, {
        ...member,
        metadata: {
          ...member.metadata,
          annotations: {
            ...member.metadata.annotations,
            'cassandraclusters.db.orange.com/last-applied-configuration': `{"metadata":{"generation":${member.metadata.generation}}}`,
          },
        },
        status: {
          ...status,
          phase: 'Running',
          lastClusterAction: 'Initializing',
          lastClusterActionStatus: 'Done',
          cassandraRackStatus: Object.fromEntries(
            racks.map(({ dc, rack }) => [
              `${dc}-${rack}`,
              { phase: 'Running', cassandraLastAction: { status: 'Done' } },
            ]),
          ),
          ...this.operatorStatus.get(region),
        },
      });
      for (const { dc, rack, nodes } of racks) {
        const leaving = this.pods.filter(({ name }) => {
          const [, ordinal] = /^(\d+)$/.exec(name.slice(`orders-${dc}-${rack}-`.length)) ?? [];
          return name.startsWith(`orders-${dc}-${rack}-`) && Number(ordinal) >= nodes;
        });
        for (const pod of leaving) this.pods.splice(this.pods.indexOf(pod), 1);
        for (let ordinal = 0; ordinal < nodes; ordinal++) this.#start(region, `orders-${dc}-${rack}-${ordinal}`);
      }
    }
    return JSON.stringify([this.pods, [...this.#members]]) !== before;
  }

  /** A pod starts when its guard lets it: alone if it is the ignition pod, else once somebody has joined. */
  #start(region: string, name: string): void {
    if (this.pods.some((pod) => pod.name === name)) return;
    const guard = this.guard(region) ?? {};
    const alone = (guard['ignition'] ?? '').startsWith(`${name} `);
    const trustsOutside = this.outside.length > 0 && /^external-/m.test(guard['ignition'] ?? '');
    const alive = trustsOutside || this.pods.some((pod) => (guard['joined'] ?? '').includes(pod.hostId));
    if (alone || alive) this.#run(region, name);
  }

  #run(region: string, name: string): void {
    const number = this.pods.length + 1;
    const hostId = `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`;
    this.pods.push({ region, name, hostId, address: `198.18.0.${number}`, ready: true });
  }

  #region(name: string): RegionSnapshot {
    const unknown = this.unknown.get(name);
    if (unknown) return unknown;
    const member = this.#members.get(name);
    const spec = member?.['spec'] as
      { topology: { dc: { name: string; nodesPerRacks: number; rack: { name: string }[] }[] } } | undefined;
    const pods = this.pods.filter((pod) => pod.region === name);
    return {
      known: true,
      clusterUid: `cluster-${name}`,
      namespaceExists: true,
      serviceAccountExists: true,
      capabilities: { statusSubresource: true, schema: anySchema },
      member,
      guard: this.#guards.get(name),
      named: this.#named(name),
      copies: this.#copies(name),
      statefulSets: (spec?.topology.dc ?? []).flatMap((dc) =>
        dc.rack.map((rack) => this.#statefulSet(`orders-${dc.name}-${rack.name}`, dc.nodesPerRacks, member)),
      ),
      claims: pods.map((pod) => ({ metadata: { name: `data-${pod.name}` } })),
      pods: pods.map((pod) => ({
        metadata: metadataOf(pod),
        status: { podIP: pod.address, conditions: [{ type: 'Ready', status: pod.ready ? 'True' : 'False' }] },
      })),
      views: Object.fromEntries(pods.filter((pod) => pod.ready).map((pod) => [pod.name, this.viewOf(pod)])),
      unreadable: {},
      replication: this.replication,
      ...this.overrides.get(name),
    };
  }

  #named(region: string): KnownRegion['named'] {
    const { memberSpec = {} } = effective(this.mcc).regions.find(({ name }) => name === region) ?? {};
    const names = casskop.references(memberSpec).map(keyOf);
    return Object.fromEntries(
      names.map((each) => [each, { known: true, object: this.regionObjects.get(`${region} ${each}`) }]),
    );
  }

  #copies(region: string): KnownRegion['copies'] {
    return [...this.regionObjects].flatMap(([id, object]) => {
      const [where, kind] = id.split(' ');
      const isCopy = where === region && readBookkeeping(object).contentHash !== undefined;
      return isCopy ? [{ kind: kind as 'Secret' | 'ConfigMap', object }] : [];
    });
  }

  /** Somebody writes a Secret or a ConfigMap; of the hub or, as in `eu Secret registry`, of a region. */
  putObject(id: string, content: Record<string, unknown>): KubeObject {
    const name = id.slice(id.lastIndexOf(' ') + 1);
    const store = /^(Secret|ConfigMap) /.test(id) ? this.hubObjects : this.regionObjects;
    const uid = store.get(id)?.metadata.uid ?? `uid-${(this.#version += 1)}`;
    const object = { metadata: { name, uid, resourceVersion: String((this.#version += 1)) }, ...content };
    store.set(id, object);
    return object;
  }

  viewOf(pod: Pod): NodeView {
    const inRing = [...this.pods.filter((each) => !each.left), ...this.outside];
    return {
      pod: pod.name,
      hostId: pod.hostId,
      clusterName: 'orders',
      operationMode: pod.left ? 'DECOMMISSIONED' : this.halfLeft.has(pod.name) ? 'DECOMMISSION_FAILED' : 'NORMAL',
      schemaVersion: pod.schemaVersion ?? 'same',
      hosts: Object.fromEntries([...inRing, ...this.ghosts].map((each) => [each.address, each.hostId])),
      live: inRing.filter((each) => each.ready).map((each) => each.address),
      joining: [],
      leaving: [],
      moving: [],
      keyspaces: Object.keys(this.replication ?? { system_auth: '', system_distributed: '', system_traces: '' }),
      observedAtMs: this.nowMs,
      hostsSinceMs: this.nowMs - 60_000,
    };
  }

  #statefulSet(name: string, replicas: number, member: KubeObject | undefined): KubeObject {
    const status = member?.['status'] as { seedlist?: string[] } | undefined;
    const sidecar = (member?.['spec'] as { backRestSidecar?: { envVars?: { value: string }[] } } | undefined)
      ?.backRestSidecar;
    const seeds = sidecar?.envVars?.[0]?.value ?? (status?.seedlist ?? []).join(',');
    const ready = this.pods.filter((pod) => pod.name.startsWith(`${name}-`) && pod.ready).length;
    return {
      metadata: { name, generation: 1 },
      spec: {
        replicas,
        template: {
          spec: { initContainers: [{ name: 'bootstrap', env: [{ name: 'CASSANDRA_SEEDS', value: seeds }] }] },
        },
      },
      status: { observedGeneration: 1, readyReplicas: ready, currentRevision: 'a', updateRevision: 'a' },
    };
  }
}

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import type { ApiObject, ApiServer, Regions } from '../harness/index.ts';
import { controllerUser, waitFor } from '../harness/index.ts';
import { writesBy } from './audit-log.ts';

const crdFile = join(import.meta.dirname, '../../crds/ringmaster.dev_multicassandraclusters.yaml');

/** How long a formation may take on a busy machine before it counts as failed, milliseconds. */
export const formationTimeoutMs = 600_000;

export interface Condition {
  type: string;
  status: string;
  reason: string;
  message: string;
  observedGeneration?: number;
}

export interface RegionStatus {
  name: string;
  stage: string;
  leavingSince?: string;
  nodes?: number;
  readyNodes?: number;
  hosts?: { pod: string; hostId: string }[];
  appliedSeeds?: string[];
  identity?: { clusterUID?: string; memberUID?: string };
  conditions?: Condition[];
}

export interface Mcc extends ApiObject {
  spec: Record<string, unknown>;
  status?: {
    conditions?: Condition[];
    summary?: { regions: string; nodes: string };
    ring?: { founder?: string; hosts?: number; abandonedHosts?: string[] };
    seeds?: string[];
    regions?: RegionStatus[];
  };
}

/** Makes a region the hub, as `ringmaster crds | kubectl apply` and `ringmaster rbac hub | kubectl apply` do. */
export async function installCrd(regions: Regions, hub: string): Promise<void> {
  await regions.region(hub).applyCrd(parse(readFileSync(crdFile, 'utf8')) as ApiObject);
  await regions.region(hub).controlPlane.account.makeHub();
}

/** One MultiCassandraCluster in a namespace of its own, and what its regions hold of it. */
export class Federation {
  readonly namespace: string;
  readonly name: string;
  readonly regions: Regions;
  readonly hub: ApiServer;
  /** The role that tests talk CQL as, where nodes ask for one. */
  cqlLogin: { readonly username: string; readonly password: string } | undefined;
  /** Regions that have a part of it. */
  readonly #own: readonly string[];
  /** Regions of the spec that share the cluster of another one. */
  readonly #guests = new Map<string, { readonly host: string; readonly namespace: string }>();

  /** @param options.names the regions that it is in; default: all of the run */
  constructor(
    regions: Regions,
    namespace: string,
    options: { name?: string; hub?: string; names?: readonly string[] } = {},
  ) {
    this.regions = regions;
    this.namespace = namespace;
    this.name = options.name ?? 'orders';
    this.#own = options.names ?? regions.all.map(({ name }) => name);
    this.hub = regions.region(options.hub ?? regions.all[0]?.name ?? '').api;
  }

  /** Makes known where a region of the spec is that shares the cluster of another one, in a namespace of its own. */
  addGuest(region: string, host: string, namespace: string): void {
    this.#guests.set(region, { host, namespace });
  }

  /** All regions that the federation may have nodes in. */
  get names(): string[] {
    return [...this.#own, ...this.#guests.keys()];
  }

  namespaceIn(region: string): string {
    return this.#guests.get(region)?.namespace ?? this.namespace;
  }

  get path(): string {
    return `/apis/ringmaster.dev/v1alpha1/namespaces/${this.namespace}/multicassandraclusters/${this.name}`;
  }

  /** Applies it as a person does; `spec` is merged over a small valid one with a region for each of the run's. */
  apply(spec: Record<string, unknown> = {}): Promise<Mcc> {
    return this.hub.apply<Mcc>(this.path, 'kubectl', {
      apiVersion: 'ringmaster.dev/v1alpha1',
      kind: 'MultiCassandraCluster',
      metadata: { name: this.name, namespace: this.namespace },
      spec: { ...this.smallestSpec(), ...spec },
    });
  }

  smallestSpec(): Record<string, unknown> {
    return {
      template: {
        spec: {
          cassandraImage: 'cassandra:5.0.8',
          serverVersion: '5.0.8',
          nodesPerRacks: 1,
          dataCapacity: '1Gi',
          backRestSidecar: { enabled: false },
          resources: { requests: { cpu: '500m', memory: '1Gi' }, limits: { cpu: '500m', memory: '1Gi' } },
        },
      },
      regions: this.#own.map((name) => ({ name })),
      seeds: { address: '{pod}.{namespace}.{region}.db.example.net', guardWaitSeconds: 20 },
    };
  }

  get(): Promise<Mcc> {
    return this.hub.get<Mcc>(this.path);
  }

  /** Wipes the status, as a restore from a backup of the spec does. */
  forgetStatus(): Promise<Mcc> {
    return this.hub.patch<Mcc>(`${this.path}/status`, 'json', [{ op: 'remove', path: '/status' }]);
  }

  async condition(type: string, region?: string): Promise<Condition | undefined> {
    const { status } = await this.get();
    const list = region ? status?.regions?.find((each) => each.name === region)?.conditions : status?.conditions;
    return list?.find((each) => each.type === type);
  }

  /** Waits until a condition has this status, and this reason if one is given; resolves with it. */
  waitForCondition(
    type: string,
    status: string,
    options: { reason?: string; region?: string; timeoutMs?: number; message?: RegExp } = {},
  ): Promise<Condition> {
    return waitFor(
      async () => {
        const mcc = await this.get();
        const list = options.region
          ? mcc.status?.regions?.find((each) => each.name === options.region)?.conditions
          : mcc.status?.conditions;
        const found = list?.find((each) => each.type === type);
        if (
          found?.status === status &&
          found.observedGeneration === mcc.metadata.generation &&
          (options.reason === undefined || found.reason === options.reason) &&
          (options.message === undefined || options.message.test(found.message))
        ) {
          return found;
        }
        throw new Error(JSON.stringify(mcc.status?.conditions));
      },
      {
        what: `${options.region ?? this.name} to be ${type}=${status}${options.reason ? ` (${options.reason})` : ''}`,
        timeoutMs: options.timeoutMs ?? formationTimeoutMs,
      },
    );
  }

  ready(): Promise<Condition> {
    return this.waitForCondition('Ready', 'True');
  }

  /** What the status says of a region. */
  async region(name: string): Promise<RegionStatus | undefined> {
    return (await this.get()).status?.regions?.find((each) => each.name === name);
  }

  /** Waits until the log of a pod's init container holds this. */
  async untilBootstrapSays(region: string, pod: string, pattern: RegExp): Promise<void> {
    await waitFor(
      () => {
        const host = this.#guests.get(region)?.host ?? region;
        const log = this.regions.region(host).bootstrapLog(this.namespaceIn(region), pod);
        if (!pattern.test(log)) throw new Error(log.slice(-2000));
        return true;
      },
      { what: `the init container of ${pod} to say ${String(pattern)}`, timeoutMs: formationTimeoutMs },
    );
  }

  member(region: string): Promise<MemberObject | undefined> {
    return this.api(region).find<MemberObject>(
      `/apis/db.orange.com/v2/namespaces/${this.namespaceIn(region)}/cassandraclusters/${this.name}`,
    );
  }

  guard(region: string): Promise<(ApiObject & { data?: Record<string, string> }) | undefined> {
    return this.api(region).find(`/api/v1/namespaces/${this.namespaceIn(region)}/configmaps/${this.name}-ringmaster`);
  }

  pods(region: string): Promise<PodObject[]> {
    return this.api(region).list<PodObject>(
      `/api/v1/namespaces/${this.namespaceIn(region)}/pods?labelSelector=cassandracluster%3D${this.name}`,
    );
  }

  /** The pods of all regions. */
  async allPods(): Promise<{ region: string; pod: PodObject }[]> {
    const lists = this.names.map(async (name) => (await this.pods(name)).map((pod) => ({ region: name, pod })));
    return (await Promise.all(lists)).flat();
  }

  /** The address that a pod has now; it gets another one with every restart. */
  async podAddress(region: string, pod: string): Promise<string> {
    const found = (await this.pods(region)).find((each) => each.metadata.name === pod);
    if (found?.status.podIP === undefined) throw new Error(`pod ${pod} of region ${region} has no address`);
    return found.status.podIP;
  }

  statefulSets(region: string): Promise<StatefulSetObject[]> {
    return this.api(region).list<StatefulSetObject>(
      `/apis/apps/v1/namespaces/${this.namespaceIn(region)}/statefulsets`,
    );
  }

  /** Asks a pod's node, through its region's API server, for attributes of one of its beans. */
  async ask(
    region: string,
    pod: string,
    attributes: string,
    bean = 'StorageService',
  ): Promise<Record<string, unknown>> {
    const path =
      `/api/v1/namespaces/${this.namespaceIn(region)}/pods/${pod}:8778/proxy/jolokia/read/` +
      `org.apache.cassandra.db:type=${bean}/${attributes}`;
    const text = await this.api(region).get<unknown>(path);
    const answer = (typeof text === 'string' ? JSON.parse(text) : text) as { status: number; value: unknown };
    if (answer.status !== 200) throw new Error(JSON.stringify(answer));
    return answer.value as Record<string, unknown>;
  }

  /** Calls an operation of a pod's StorageService, as `nodetool` would. */
  async call(region: string, pod: string, operation: string): Promise<unknown> {
    const path =
      `/api/v1/namespaces/${this.namespaceIn(region)}/pods/${pod}:8778/proxy/jolokia/exec/` +
      `org.apache.cassandra.db:type=StorageService/${operation}`;
    return this.api(region).get<unknown>(path);
  }

  /** For every pod of every region: the host IDs its node knows, sorted. */
  async hostTable(): Promise<Map<string, string[]>> {
    const table = new Map<string, string[]>();
    for (const { region, pod } of await this.allPods()) {
      const { name } = pod.metadata;
      const { EndpointToHostId, OperationMode } = await this.ask(region, name, 'EndpointToHostId,OperationMode');
      if (OperationMode !== 'NORMAL') throw new Error(`${name} is ${String(OperationMode)}`);
      table.set(name, Object.values(EndpointToHostId as Record<string, string>).sort());
    }
    return table;
  }

  /** What the controller has written to the regions so far; the status and the events it keeps in a hub are no such writes. */
  writesToRegions(): string[] {
    return this.regions.all.flatMap((region) =>
      writesBy(region.auditLog, controllerUser)
        .filter(
          ({ namespace, what }) => namespace === this.namespace && !/^(multicassandraclusters|events)\b/.test(what),
        )
        .map(({ verb, what }) => `${region.name}: ${verb} ${what}`),
    );
  }

  /** Everything that would differ if anything had been restarted or changed by the regional operators, by region. */
  async whatRuns(): Promise<Record<string, unknown>> {
    const entries = this.names.map(async (name) => {
      const sets = (await this.statefulSets(name)).map(({ metadata: { uid, generation } }) => ({ uid, generation }));
      const pods = (await this.pods(name)).map(({ metadata, status }) => ({
        uid: metadata.uid,
        restarts: status.containerStatuses?.map((each) => each.restartCount),
      }));
      return [name, { sets, pods }] as const;
    });
    return Object.fromEntries(await Promise.all(entries));
  }

  api(region: string): ApiServer {
    return this.regions.region(this.#guests.get(region)?.host ?? region).api;
  }
}

export interface MemberObject extends ApiObject {
  spec: { backRestSidecar?: { envVars?: unknown[] }; [field: string]: unknown };
  status: { seedlist: string[]; phase?: string };
}

export interface PodObject extends ApiObject {
  status: {
    podIP?: string;
    conditions?: { type: string; status: string }[];
    containerStatuses?: { name: string; restartCount: number; ready: boolean }[];
    initContainerStatuses?: { name: string; restartCount: number; state?: Record<string, unknown> }[];
  };
}

export interface StatefulSetObject extends ApiObject {
  spec: { replicas: number };
  status: { readyReplicas?: number };
}

import PQueue from 'p-queue';
import { effective, type EffectiveRegion } from '../../api/effective.ts';
import { parseMultiCassandraCluster } from '../../api/parse.ts';
import type { MultiCassandraCluster } from '../../api/schema.ts';
import type { Clock } from '../../edges/clock.ts';
import type { Names } from '../../edges/names.ts';
import type { Random } from '../../edges/random.ts';
import { contextOf } from '../../federation/plan.ts';
import type { KubeObject } from '../../kube/objects.ts';
import { casskop } from '../../operators/casskop/casskop.ts';
import type { RegionRegistry } from '../../regions/registry.ts';
import { hubAccess, regionAccess } from '../../runtime/access.ts';
import { look } from '../../runtime/look.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { Cluster } from './cluster.ts';
import { ringFinding, statusFindings } from './federation.ts';
import { type Finding, type Tell, tellOf } from './finding.ts';
import { hubCrdFinding } from './hub-crd.ts';
import { leaderFinding, seeLease } from './leader.ts';
import { operatorFindings, seeOperator } from './operator.ts';
import { regionFindings } from './region.ts';
import { type Account, missingRights, type Places, type Right, rightsFinding, rightsOf } from './rights.ts';
import { type NamesSeen, seedFindings } from './seeds.ts';
import { askServer, clockFinding, type Server, serverFinding } from './server.ts';
import { foreignWriters } from './writers.ts';

export interface CheckupOptions {
  readonly regions: RegionRegistry;
  /** How to ask a cluster what the controller never asks; undefined: it is not connected. */
  readonly cluster: (name: string) => Cluster | undefined;
  /** Whose DNS is asked about seeds, in words. */
  readonly names: readonly (Pick<NamesSeen, 'whence' | 'isRegions'> & { readonly names: Names })[];
  /** Whose rights are looked at; undefined: those of whoever each kubeconfig names. */
  readonly account: Account | undefined;
  readonly lease: { readonly name: string; readonly namespaces: readonly string[] };
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** How long to wait for regions that do not answer, milliseconds. */
  readonly patienceMs: number;
}

/** Each looks at its regions for as long as one of them does not answer. */
const federationsAtOnce = 4;

/** Looks at the hub, all registered clusters, and the federations given, and changes nothing. */
export class Checkup {
  readonly #options: CheckupOptions;

  constructor(options: CheckupOptions) {
    this.#options = options;
  }

  /** @throws the signal's reason; KubeError when the hub fails in between. */
  async run(federations: readonly KubeObject[], signal: AbortSignal): Promise<Finding[]> {
    const { regions } = this.#options;
    const hub = this.#options.cluster(regions.hub.name);
    const servers = new Map<string, Server | string>();
    const ask = async (name: string): Promise<void> => {
      const cluster = this.#options.cluster(name);
      if (cluster) servers.set(name, await askServer(cluster, signal));
    };
    const names = [regions.hub.name, ...regions.names().filter((name) => name !== regions.hub.name)];
    await Promise.all(names.map(ask));
    const hubServer = servers.get(regions.hub.name);
    const known = typeof hubServer === 'string' ? undefined : hubServer;
    const [own = '', ...others] = names;
    const atOnce = new PQueue({ concurrency: federationsAtOnce });
    return [
      ...this.#ofCluster(own, hubServer, known),
      ...(hub && known ? await this.#ofHub(hub, signal) : []),
      ...others.flatMap((name) => this.#ofCluster(name, servers.get(name), known)),
      ...(await atOnce.addAll(federations.map((object) => () => this.#ofFederation(object, signal)))).flat(),
    ];
  }

  #subject(cluster: string): string {
    return cluster === this.#options.regions.hub.name ? `hub ${cluster}` : `cluster ${cluster}`;
  }

  #ofCluster(name: string, server: Server | string | undefined, hub: Server | undefined): Finding[] {
    const { regions } = this.#options;
    const tell = tellOf(this.#subject(name));
    const handle = regions.get(name);
    const registration: Finding[] = [];
    if (handle && 'refused' in handle) {
      return [tell('registration', 'failure', handle.refused, `mend ${handle.origin}`)];
    }
    if (handle?.problem !== undefined) {
      registration.push(tell('registration', 'warning', handle.problem, `mend ${handle.origin}`));
    }
    if (server === undefined) return registration;
    const isHub = name === regions.hub.name;
    const clock = typeof server === 'string' ? [] : [clockFinding(tell, server, isHub ? undefined : hub)];
    return [...registration, serverFinding(tell, server, isHub, name), ...clock];
  }

  async #ofHub(hub: Cluster, signal: AbortSignal): Promise<Finding[]> {
    const { lease, regions } = this.#options;
    const tell = tellOf(this.#subject(hub.name));
    const seen = await seeLease(hub, lease.name, lease.namespaces, signal);
    const own = typeof seen === 'string' ? lease.namespaces[0] : seen.namespace;
    const rights = rightsOf(hubAccess, { cluster: true, ...(own !== undefined && { own }) });
    return [
      await hubCrdFinding(tell, hub, regions.hub.name, signal),
      await this.#rights(tell, hub, rights, `ringmaster rbac hub | kubectl --context ${hub.name} apply -f -`, signal),
      leaderFinding(tell, seen, hub.name),
    ];
  }

  async #rights(
    tell: Tell,
    cluster: Cluster,
    rights: readonly Right[],
    grant: string,
    signal: AbortSignal,
  ): Promise<Finding> {
    const { account } = this.#options;
    const missing = await missingRights(cluster, rights, account, signal);
    return rightsFinding(tell, rights, missing, account, grant);
  }

  async #ofFederation(object: KubeObject, signal: AbortSignal): Promise<Finding[]> {
    const { metadata } = object;
    const subject = `${metadata.namespace}/${metadata.name}`;
    const tell = tellOf(subject);
    const { mcc, problems } = parseMultiCassandraCluster(object);
    if (!mcc) {
      const message = `this ringmaster cannot read it: ${problems.map(({ path, message: why }) => `${path}: ${why}`).join('; ')}`;
      return [tell('status', 'failure', message, 'run the doctor of the version that the controller has')];
    }
    const snapshot = await look(mcc, { ...this.#options, operator: casskop }, signal);
    const context = contextOf(snapshot, casskop);
    const regions: Finding[] = [];
    for (const picture of context.pictures) {
      const tellOfRegion = tellOf(`${subject}, region ${picture.region.name}`);
      regions.push(
        ...regionFindings(tellOfRegion, context, picture),
        ...(picture.known ? await this.#ofRegion(tellOfRegion, mcc, picture.region, signal) : []),
      );
    }
    const { ring } = context;
    const alive = ring.kind === 'one' && ring.busy === undefined;
    return [
      ...statusFindings(tell, metadata.name, metadata.generation ?? 0, mcc.status),
      ringFinding(tell, context),
      ...(await this.#seeds(tell, mcc, alive)),
      ...regions,
    ];
  }

  async #ofRegion(
    tell: Tell,
    mcc: MultiCassandraCluster,
    region: EffectiveRegion,
    signal: AbortSignal,
  ): Promise<Finding[]> {
    const cluster = this.#options.cluster(region.context);
    if (!cluster) return [];
    const { namespace, context } = region;
    const places: Places = { cluster: true, namespace };
    const grant = `ringmaster rbac region --namespace ${namespace} | kubectl --context ${context} apply -f -`;
    const rights = rightsOf(regionAccess(casskop), places);
    return [
      await this.#rights(tell, cluster, rights, grant, signal),
      ...operatorFindings(tell, await seeOperator(cluster, namespace, signal), context),
      ...(await this.#writers(tell, cluster, region, effective(mcc).clusterName, signal)),
    ];
  }

  async #writers(
    tell: Tell,
    cluster: Cluster,
    { namespace, context }: EffectiveRegion,
    name: string,
    signal: AbortSignal,
  ): Promise<Finding[]> {
    const { group, version, plural } = casskop.member;
    const found = await cluster.find(`/apis/${group}/${version}/namespaces/${namespace}/${plural}/${name}`, signal);
    if (!('object' in found)) return [];
    const writers = [...foreignWriters(found.object)];
    if (writers.length === 0) return [tell('writers', 'ok', 'nobody else writes fields of the member')];
    const said = writers.map(([manager, paths]) => `${manager} (${paths.join(', ')})`).join(', ');
    const todo = `put what is wanted into the MultiCassandraCluster; who it was: kubectl --context ${context} -n ${namespace} get cassandracluster ${name} -o yaml --show-managed-fields`;
    return [tell('writers', 'warning', `others than Ringmaster and CassKop own fields of the member: ${said}`, todo)];
  }

  async #seeds(tell: Tell, mcc: MultiCassandraCluster, alive: boolean): Promise<Finding[]> {
    const seeds = [...(mcc.status?.seeds ?? [])];
    if (seeds.length === 0) return [];
    const seen = await Promise.all(
      this.#options.names.map(async ({ whence, isRegions, names }): Promise<NamesSeen> => {
        const answers = seeds.map(async (seed): Promise<[string, string[] | string]> => {
          try {
            return [seed, await names.addresses(seed)];
          } catch (error) {
            return [seed, (error as NodeJS.ErrnoException).code ?? String(error)];
          }
        });
        return { whence, isRegions, answers: new Map(await Promise.all(answers)) };
      }),
    );
    return seedFindings(tell, seen, alive);
  }
}

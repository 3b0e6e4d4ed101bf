import { join } from 'node:path';
import { type NamespaceOptions, type Regions, startRegions, waitFor } from '../harness/index.ts';
import { writeKubeconfig } from '../harness/kubeconfig.ts';
import { TcpProxy } from '../proxy/tcp-proxy.ts';
import { ControllerProcess } from '../ring/controller-process.ts';
import { Federation, installCrd } from '../ring/federation.ts';

/** How long one region may take for its part of a change on a busy machine, milliseconds. */
export const turnTimeoutMs = 400_000;

/** How long a change of a ring of Cassandra nodes may take altogether on a busy machine, milliseconds. */
export const changeTimeoutMs = 1_100_000;

/** A class of volumes that can grow. */
const storageClass = 'growing';

/**
 * A node that has heard nobody's schema version when this delay is over takes its empty schema for complete, and joins
 * without streaming a row; see docs/decisions/0009.
 */
const patient = '-Dcassandra.ring_delay_ms=10000';

export interface RingOptions extends Pick<NamespaceOptions, 'pace'> {
  readonly namespace: string;
  readonly nodes: 'cassandra' | 'light';
  /** Region -> nodes of its one rack; the first one is the hub, too. */
  readonly sizes: Readonly<Record<string, number>>;
  /** What the controller may use beyond the default, as a rule for its --allow. */
  readonly allow?: string;
  /** Whether nodes that join wait long enough to stream their rows for certain, see {@link patient}; a ring takes longer to form so. */
  readonly patient?: boolean;
}

/** What the user's spec holds. */
export interface Wanted {
  image: string;
  cpu: string;
  config: Record<string, unknown> | undefined;
  capacity: string;
  restartToken: string;
  /** Region -> nodes. */
  sizes: Readonly<Record<string, number>>;
  /** More regions of the spec. */
  more: readonly object[];
  patient: boolean;
}

/** A ring over several regions whose spec is changed, and a controller that reaches each region through a proxy. */
export class ChangingRing {
  readonly regions: Regions;
  readonly federation: Federation;
  readonly wanted: Wanted;
  readonly #proxies = new Map<string, TcpProxy>();

  private constructor(regions: Regions, { namespace, sizes, patient: isPatient = false }: RingOptions) {
    this.regions = regions;
    this.federation = new Federation(regions, namespace);
    this.wanted = {
      image: 'cassandra:5.0.8',
      cpu: '500m',
      config: undefined,
      capacity: '1Gi',
      restartToken: '',
      sizes,
      more: [],
      patient: isPatient,
    };
  }

  /** Resolves when the ring is ready. */
  static async start(options: RingOptions): Promise<ChangingRing> {
    const { namespace, nodes, pace = 'fast', sizes } = options;
    const [hub = '', ...others] = Object.keys(sizes);
    const regions = await startRegions({ regions: [hub, ...others], nodes });
    const ring = new ChangingRing(regions, options);
    try {
      await installCrd(regions, hub);
      for (const { api } of regions.all)
        await api.apply(`/apis/storage.k8s.io/v1/storageclasses/${storageClass}`, 'harness', {
          apiVersion: 'storage.k8s.io/v1',
          kind: 'StorageClass',
          metadata: { name: storageClass },
          provisioner: 'harness.ringmaster.dev/directory',
          allowVolumeExpansion: true,
        });
      await regions.prepareNamespace(namespace, { pace });
      await ring.#startController(options.allow);
      await ring.apply();
      await ring.federation.waitForCondition('Ready', 'True', { timeoutMs: changeTimeoutMs });
      return ring;
    } catch (error) {
      await ring.stop();
      throw error;
    }
  }

  async stop(): Promise<void> {
    for (const proxy of this.#proxies.values()) await proxy.close();
    await this.regions.stop();
  }

  /** Changes the user's spec. */
  async apply(changes: Partial<Wanted> = {}): Promise<void> {
    Object.assign(this.wanted, changes);
    const { image, cpu, config, capacity, restartToken, sizes, more } = this.wanted;
    const { template, seeds } = this.federation.smallestSpec() as { template: { spec: object }; seeds: object };
    const resources = { cpu, memory: '1Gi' };
    await this.federation.apply({
      template: {
        spec: {
          ...template.spec,
          cassandraImage: image,
          dataCapacity: capacity,
          dataStorageClass: storageClass,
          ...(this.wanted.patient && { envVars: [{ name: 'JVM_EXTRA_OPTS', value: patient }] }),
          resources: { requests: resources, limits: resources },
          ...(config !== undefined && { config }),
        },
      },
      regions: [
        ...Object.entries(sizes).map(([name, nodesPerRacks]) => ({
          name,
          datacenters: [{ name, nodesPerRacks, racks: [{ name: 'rack1' }] }],
        })),
        ...more,
      ],
      // Without {region}: several regions of the spec may share a cluster, and so a zone.
      seeds: { ...seeds, address: '{pod}.db.example.net' },
      ...(restartToken !== '' && { rollout: { restartToken } }),
    });
  }

  /** What the controller sends to a region, and all that it hears from there, is lost. */
  async cutOff(region: string): Promise<void> {
    this.#proxy(region).fault = { kind: 'reset' };
    await this.federation.waitForCondition('Reachable', 'False', { region, timeoutMs: turnTimeoutMs });
  }

  reconnect(region: string): void {
    this.#proxy(region).fault = { kind: 'none' };
  }

  /** Region -> pod -> uid, and whether it is ready. */
  async pods(): Promise<Map<string, Map<string, { uid: string; isReady: boolean }>>> {
    const found = new Map<string, Map<string, { uid: string; isReady: boolean }>>();
    for (const { region, pod } of await this.federation.allPods()) {
      const { name, uid = '' } = pod.metadata;
      const isReady = pod.status.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false;
      found.set(region, (found.get(region) ?? new Map<string, never>()).set(name, { uid, isReady }));
    }
    return found;
  }

  /** Makes a change, and waits until all pods of these regions are new ones; each region in turn has its own deadline. */
  async restarts(regions: readonly string[], change: () => Promise<void>): Promise<void> {
    const before = await this.pods();
    await change();
    for (const region of regions) {
      const old = [...(before.get(region)?.values() ?? [])].map(({ uid }) => uid);
      await waitFor(
        async () => {
          const now = [...((await this.pods()).get(region)?.values() ?? [])];
          if (now.length > 0 && now.every(({ uid, isReady }) => isReady && !old.includes(uid))) return true;
          throw new Error(JSON.stringify([now, (await this.federation.get()).status?.conditions]));
        },
        { what: `all pods of ${region} to be made anew`, timeoutMs: turnTimeoutMs },
      );
    }
  }

  async ready(): Promise<void> {
    await this.federation.waitForCondition('Ready', 'True', { timeoutMs: turnTimeoutMs });
  }

  async #startController(allow: string | undefined): Promise<void> {
    for (const { name, url } of this.regions.all) this.#proxies.set(name, await TcpProxy.start(url));
    const kubeconfig = join(this.regions.directory, 'proxied.kubeconfig');
    const planes = this.regions.all.map(({ name, controlPlane: { authority, tokens } }) => ({
      name,
      authority,
      tokens,
      url: this.#proxy(name).url,
    }));
    writeKubeconfig(kubeconfig, 'ringmaster', planes);
    new ControllerProcess(this.regions, { kubeconfig, ...(allow !== undefined && { arguments: ['--allow', allow] }) });
  }

  #proxy(region: string): TcpProxy {
    const proxy = this.#proxies.get(region);
    if (!proxy) throw new Error(`there is no proxy for ${region}`);
    return proxy;
  }
}

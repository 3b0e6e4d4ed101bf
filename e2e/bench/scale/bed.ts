import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments, stringify } from 'yaml';
import { ControlPlane } from '../../harness/control-plane.ts';
import type { ApiObject, ApiServer } from '../../harness/index.ts';
import { waitFor } from '../../harness/index.ts';
import { Network } from '../../harness/network.ts';
import { Run } from '../../harness/run/run.ts';
import { prepareToolchain } from '../../harness/toolchain.ts';
import { ControllerProcess } from '../../ring/controller-process.ts';
import type { Condition } from '../../ring/federation.ts';
import type { Fleet, FleetFederation, FleetRegion } from './fleet.ts';
import { heapOnSignal } from './heap-on-signal.ts';
import { listenInNamespace } from './listen-in-namespace.ts';
import { Rings } from './rings.ts';
import { RegionStandIn } from './stand-in.ts';

const crds = {
  member: join(import.meta.dirname, '../../casskop/crds/cassandraclusters.yaml'),
  federation: join(import.meta.dirname, '../../../crds/ringmaster.dev_multicassandraclusters.yaml'),
};
/** As it is shipped, compiled: Node's own reading of TypeScript takes memory. */
const built = join(import.meta.dirname, '../../../dist/cli/main.js');
const jolokiaPort = 8778;
const hubContext = 'hub';
/** Namespace of the MultiCassandraClusters. */
const home = 'fleet';
const timeoutMs = 60_000;

export interface Mcc extends ApiObject {
  spec: { seeds: { guardWaitSeconds: number } };
  status?: { conditions?: Condition[] };
}

/** A few real API servers whose namespaces are the regions, the first of them also the hub; and the controller. */
export class Bed {
  readonly fleet: Fleet;
  readonly rings: Rings;
  readonly directory: string;
  readonly planes: readonly ControlPlane[];
  readonly #run: Run;
  readonly #stop: AbortController;
  #controllers = 0;

  private constructor(fleet: Fleet, run: Run, planes: readonly ControlPlane[], rings: Rings, stop: AbortController) {
    this.fleet = fleet;
    this.#run = run;
    this.directory = run.directory;
    this.planes = planes;
    this.rings = rings;
    this.#stop = stop;
  }

  /** Resolves when everything is there but the controller and the MultiCassandraClusters. */
  static async start(fleet: Fleet, servers: number): Promise<Bed> {
    const stop = new AbortController();
    const { signal } = stop;
    const toolchain = await prepareToolchain({ cassandra: false }, signal);
    const run = await Run.start();
    try {
      const names = Array.from({ length: servers }, (_, index) => `server${index + 1}`);
      const network = await Network.create(run, names);
      const rings = new Rings();
      const planes: ControlPlane[] = [];
      for (const [index, place] of network.regions.entries()) {
        const directory = join(run.directory, place.name);
        const plane = await ControlPlane.start(run, place, toolchain.controlPlane, directory, signal, {
          controllers: false,
        });
        planes.push(plane);
        rings.serve(await listenInNamespace(place.namespace, jolokiaPort));
        await prepare(
          plane,
          fleet.regions.filter((region) => region.server === index),
          index === 0,
        );
        const standIn = new RegionStandIn(plane.api, place.podAddresses, rings, signal);
        void standIn.run().catch((error: unknown) => {
          console.error('a stand-in has failed', error);
          process.exit(1);
        });
      }
      const bed = new Bed(fleet, run, planes, rings, stop);
      bed.#writeKubeconfig();
      return bed;
    } catch (error) {
      stop.abort();
      await run.stop();
      throw error;
    }
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    this.rings.close();
    await Promise.all(this.planes.map(({ api }) => api.close()));
    await this.#run.stop();
  }

  get hub(): ApiServer {
    return this.planes[0]!.api;
  }

  apiOf({ server }: FleetRegion): ApiServer {
    return this.planes[server]!.api;
  }

  /** Another controller; `nodeFlags` are for Node itself. */
  startController(nodeFlags: readonly string[] = []): ControllerProcess {
    this.#controllers += 1;
    return new ControllerProcess(
      {
        all: [],
        directory: this.directory,
        controllerKubeconfig: this.#kubeconfig,
        spawn: (argv, options) => {
          const [node = '', , ...rest] = argv;
          const { variables, flags } = shipped();
          return this.#run.spawn(
            ['env', ...variables, node, ...flags, '--import', heapOnSignal, ...nodeFlags, built, ...rest],
            options,
          );
        },
      },
      { name: `${this.#controllers}`, contexts: [], arguments: ['--hub', hubContext, '--allow', '*=*/*'] },
    );
  }

  async apply({ name, regions }: FleetFederation): Promise<void> {
    await this.hub.apply(this.#path(name), 'kubectl', {
      apiVersion: 'ringmaster.dev/v1alpha1',
      kind: 'MultiCassandraCluster',
      metadata: { name, namespace: home },
      spec: {
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
        regions: regions.map((region) => ({ name: region.name, namespace: region.name })),
        seeds: { address: '{pod}.{region}.db.example.net', guardWaitSeconds: 600 },
      },
    });
  }

  /** An edit that restarts nothing. */
  edit({ name }: FleetFederation, guardWaitSeconds: number): Promise<Mcc> {
    return this.hub.patch<Mcc>(this.#path(name), 'merge', { spec: { seeds: { guardWaitSeconds } } });
  }

  federations(): Promise<Mcc[]> {
    return this.hub.list<Mcc>(`/apis/ringmaster.dev/v1alpha1/namespaces/${home}/multicassandraclusters`);
  }

  /** How many are Ready with their latest spec. */
  async ready(): Promise<number> {
    return (await this.federations()).filter(({ metadata, status }) =>
      status?.conditions?.some(
        ({ type, status: is, observedGeneration }) =>
          type === 'Ready' && is === 'True' && observedGeneration === metadata.generation,
      ),
    ).length;
  }

  get #kubeconfig(): string {
    return join(this.directory, 'ringmaster.kubeconfig');
  }

  #path(name: string): string {
    return `/apis/ringmaster.dev/v1alpha1/namespaces/${home}/multicassandraclusters/${name}`;
  }

  /** A context for each region, and one for the hub. */
  #writeKubeconfig(): void {
    const regions = [{ name: hubContext, server: 0 }, ...this.fleet.regions];
    const of = (server: number): string => `server${server + 1}`;
    writeFileSync(
      this.#kubeconfig,
      stringify({
        apiVersion: 'v1',
        kind: 'Config',
        'current-context': hubContext,
        clusters: this.planes.map(({ url, authority }, index) => ({
          name: of(index),
          cluster: { server: url, 'certificate-authority-data': Buffer.from(authority).toString('base64') },
        })),
        users: this.planes.map(({ tokens }, index) => ({ name: of(index), user: { token: tokens.ringmaster } })),
        contexts: regions.map(({ name, server }) => ({
          name,
          context: { cluster: of(server), user: of(server), namespace: 'ringmaster-system' },
        })),
      }),
      { mode: 0o600 },
    );
  }
}

/** What the first line of the program sets, and tells Node. */
function shipped(): { variables: string[]; flags: string[] } {
  const [first = ''] = readFileSync(built, 'utf8').split('\n');
  const [, variables = '', flags = ''] = /^#!.* -S (.*?)\bnode (.*)$/.exec(first) ?? [];
  return { variables: variables.split(' ').filter(Boolean), flags: flags.split(' ').filter(Boolean) };
}

/** Kinds, namespaces, the account of Cassandra's pods, and the rights of the controller. */
async function prepare(plane: ControlPlane, regions: readonly FleetRegion[], isHub: boolean): Promise<void> {
  const { api, account } = plane;
  await applyCrd(api, crds.member, '/apis/db.orange.com/v2/cassandraclusters');
  if (isHub) {
    await applyCrd(api, crds.federation, '/apis/ringmaster.dev/v1alpha1/multicassandraclusters');
    await account.makeHub();
  }
  const names = regions.map(({ name }) => name);
  await Promise.all(
    [...names, ...(isHub ? [home] : [])].map(async (name) => {
      await api.apply(`/api/v1/namespaces/${name}`, 'harness', {
        apiVersion: 'v1',
        kind: 'Namespace',
        metadata: { name },
      });
      await api.apply(`/api/v1/namespaces/${name}/serviceaccounts/cassandra-cluster-node`, 'harness', {
        apiVersion: 'v1',
        kind: 'ServiceAccount',
        metadata: { name: 'cassandra-cluster-node', namespace: name },
        automountServiceAccountToken: false,
      });
    }),
  );
  await account.admitAll(names);
}

/** Resolves when objects of the kind can be listed: a server that has just learnt of it refuses that for a moment. */
async function applyCrd(api: ApiServer, file: string, listPath: string): Promise<void> {
  for (const document of parseAllDocuments(readFileSync(file, 'utf8'))) {
    const crd = document.toJS() as ApiObject;
    const path = `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${crd.metadata.name}`;
    await api.apply(path, 'harness', crd);
  }
  await waitFor(async () => Boolean(await api.get(listPath)), { what: `${listPath} to be served`, timeoutMs });
}

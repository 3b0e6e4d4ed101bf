import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Pod } from '../../casskop/objects.ts';
import { paces } from '../../casskop/pace.ts';
import type { ApiObject } from '../../harness/api-server.ts';
import { startRegions, waitFor, type Region, type Regions } from '../../harness/index.ts';
import { follow } from '../../harness/kubelet/watch.ts';
import { clusterName, collections, type CasskopPlace, type Change, type Kind } from './casskop-place.ts';

const lightNode = join(import.meta.dirname, '../../light-node/main.ts');
const timeoutMs = 300_000;
/** A node goes on joining until it is told to end that. */
const endlessMs = 3_600_000;
const isReal = process.env['CASSKOP_BIN'] !== undefined;

/** Namespaces of one real region whose pods run light nodes, each with a CassKop or a stand-in of its own. */
export class HarnessPlaces {
  readonly #regions: Regions;
  readonly #region: Region;
  /** By namespace. */
  readonly #places = new Map<string, HarnessPlace>();
  readonly #stop = new AbortController();

  private constructor(regions: Regions) {
    this.#regions = regions;
    this.#region = regions.region('eu');
    // One watch a kind for all places: each takes one of the client's connections for good.
    for (const kind of Object.keys(collections) as Kind[]) {
      const handle = (object: ApiObject, isGone: boolean): void =>
        this.#places.get(object.metadata.namespace ?? '')?.happened({ kind, object, isGone });
      void follow(this.#region.api, `/${collections[kind]}`, handle, this.#stop.signal);
    }
  }

  static async start(): Promise<HarnessPlaces> {
    return new HarnessPlaces(await startRegions({ regions: ['eu'], nodes: 'light' }));
  }

  /** An empty namespace in which CassKop (CASSKOP_BIN), or the stand-in at its fast pace, is at work. */
  async place(): Promise<CasskopPlace> {
    const number = this.#places.size + 1;
    const namespace = `place-${number}`;
    // Pods get their addresses from the other end of the list.
    const address = this.#region.network.podAddresses.at(-number) ?? '';
    const place = new HarnessPlace(this.#regions, this.#region, namespace, address);
    this.#places.set(namespace, place);
    await this.#region.prepareNamespace(namespace, { pace: 'fast' });
    return place;
  }

  async stop(): Promise<void> {
    this.#stop.abort(new Error('the tests are over'));
    await this.#regions.stop();
  }
}

class HarnessPlace implements CasskopPlace {
  readonly namespace: string;
  readonly pace = isReal ? paces.true : paces.fast;
  readonly history: Change[] = [];
  readonly #regions: Regions;
  readonly #region: Region;
  readonly #spareAddress: string;

  constructor(regions: Regions, region: Region, namespace: string, spareAddress: string) {
    this.#regions = regions;
    this.#region = region;
    this.namespace = namespace;
    this.#spareAddress = spareAddress;
  }

  /** Each kind has a watch of its own; the versions say in which order things happened to different kinds. */
  happened(change: Change): void {
    const isLater = (other: Change): boolean => versionOf(other) > versionOf(change);
    let at = this.history.length;
    while (at > 0 && isLater(this.history[at - 1] as Change)) at -= 1;
    this.history.splice(at, 0, change);
  }

  send(method: 'POST' | 'PATCH' | 'DELETE', path: string, body?: object): Promise<unknown> {
    const { api } = this.#region;
    if (method === 'POST') return api.post(path, body);
    return method === 'PATCH' ? api.patch(path, 'merge', body) : api.delete(path, body);
  }

  async until(what: string, condition: () => boolean): Promise<void> {
    const check = (): true => {
      if (condition()) return true;
      const member = this.history.findLast(({ kind }) => kind === 'members')?.object;
      throw new Error(JSON.stringify({ spec: member?.['spec'], status: member?.['status'] }));
    };
    await waitFor(check, { what: `${what} in ${this.namespace}`, timeoutMs, intervalMs: 50 });
  }

  async pass(milliseconds: number): Promise<void> {
    await delay(milliseconds);
  }

  async joinRing(pod: Pod): Promise<() => Promise<void>> {
    const data = join(this.#region.directory, `another-of-${this.namespace}`);
    const options = {
      address: this.#spareAddress,
      cluster: clusterName,
      datacenter: 'us',
      rack: 'rack1',
      seeds: pod.status?.podIP ?? '',
      data,
      'stream-ms': String(endlessMs),
    };
    const flags = Object.entries(options).flatMap(([name, value]) => [`--${name}`, value]);
    const enter = ['ip', 'netns', 'exec', this.#region.network.namespace];
    const { child } = this.#regions.spawn([...enter, process.execPath, lightNode, ...flags], { log: `${data}.log` });
    const attribute = `jolokia/read/org.apache.cassandra.db:type=StorageService/JoiningNodes`;
    const path = `/api/v1/namespaces/${this.namespace}/pods/${pod.metadata.name}:8778/proxy/${attribute}`;
    const isSeen = async (): Promise<boolean> => {
      const answer = await this.#region.api.get<unknown>(path);
      const text = typeof answer === 'string' ? answer : JSON.stringify(answer);
      return (JSON.parse(text) as { value: string[] }).value.length > 0;
    };
    await waitFor(isSeen, { what: `a joining node in ${this.namespace}`, timeoutMs, intervalMs: 100 });
    return async () => {
      child.kill('SIGUSR2');
      const isOver = async (): Promise<boolean> => !(await isSeen());
      await waitFor(isOver, { what: `no joining node in ${this.namespace}`, timeoutMs, intervalMs: 100 });
    };
  }

  /** Ends what runs here; nobody waits for it. */
  async stop(): Promise<void> {
    await this.#region.stopOperator(this.namespace);
    const path = `${this.#path('members')}/${clusterName}`;
    const { api } = this.#region;
    if (!(await api.find(path))) return;
    await api.patch(path, 'merge', { metadata: { finalizers: null } });
    await api.delete(path);
  }

  #path(kind: Kind): string {
    const parts = collections[kind].split('/');
    const plural = parts.pop();
    return `/${parts.join('/')}/namespaces/${this.namespace}/${plural}`;
  }
}

function versionOf({ object }: Change): bigint {
  return BigInt(object.metadata.resourceVersion ?? 0);
}

import assert from 'node:assert/strict';
import { SeededRandom, VirtualClock } from '../../../src/edges/testing.ts';
import type { Pod } from '../../casskop/objects.ts';
import { paces } from '../../casskop/pace.ts';
import type { ApiObject } from '../../harness/api-server.ts';
import { MemoryApiServer } from '../api/server.ts';
import { CassandraNetwork } from '../region/cassandra/network.ts';
import { emptyDisk } from '../region/cassandra/node-disk.ts';
import { SimulatedRegion } from '../region/region.ts';
import { clusterName, collections, type CasskopPlace, type Change, type Kind } from './casskop-place.ts';

const namespace = 'cassandra';
/** Longer than any test looks at what happens meanwhile. */
const joinMs = 600_000;
/** A change that takes longer than this does not come about. */
const limitMs = 3_600_000;

/** A region of the simulator, on virtual time and at CassKop's own pace. */
export class SimulatedPlace implements CasskopPlace {
  readonly namespace = namespace;
  readonly pace = paces.true;
  readonly history: Change[] = [];
  readonly #clock = new VirtualClock();
  readonly #server: MemoryApiServer;
  readonly #region: SimulatedRegion;
  readonly #ring: CassandraNetwork;

  constructor() {
    const clock = this.#clock;
    const random = new SeededRandom(1);
    let uids = 0;
    let addresses = 0;
    this.#server = new MemoryApiServer({ name: 'eu', clock, uid: () => `uid-${(uids += 1)}` });
    this.#ring = new CassandraNetwork({ clock, random, reachable: () => true, timing: { joinMs } });
    this.#region = new SimulatedRegion({
      name: 'eu',
      namespace,
      clock,
      random,
      server: this.#server,
      ring: this.#ring,
      resolve: () => undefined,
      addresses: () => `198.18.1.${(addresses += 1)}`,
    });
    this.#region.start();
    this.#server.onChange(({ type, resource, object }) => {
      const kind = (Object.keys(collections) as Kind[]).find((each) =>
        collections[each].endsWith(`/${resource.plural}`),
      );
      if (kind) this.history.push({ kind, object: object as ApiObject, isGone: type === 'DELETED' });
    });
  }

  send(method: 'POST' | 'PATCH' | 'DELETE', path: string, body?: object): Promise<unknown> {
    const contentType = method === 'PATCH' ? { contentType: 'application/merge-patch+json' } : {};
    const answer = this.#server.handle({ method, path, user: 'user', ...contentType, ...(body && { body }) });
    assert.ok(answer.status < 300, JSON.stringify(answer.body));
    return Promise.resolve(answer.body);
  }

  until(what: string, condition: () => boolean): Promise<void> {
    return this.#clock.until(what, condition, limitMs);
  }

  pass(milliseconds: number): Promise<void> {
    return this.#clock.advance(milliseconds);
  }

  async joinRing(pod: Pod): Promise<() => Promise<void>> {
    const address = pod.status?.podIP ?? '';
    this.#ring.start({
      name: 'another',
      region: 'elsewhere',
      address: '198.18.9.9',
      clusterName,
      datacenter: 'us',
      rack: 'rack1',
      seeds: [address],
      resolve: (seed) => seed,
      disk: emptyDisk(),
      onExit: (reason) => assert.fail(`the other node ended: ${reason}`),
    });
    await this.until('a joining node', () => {
      return this.#ring.nodeAt(address)?.view.ring.some(({ status }) => status === 'BOOT') ?? false;
    });
    return () => this.pass(joinMs);
  }

  stop(): Promise<void> {
    this.#region.stop();
    return Promise.resolve();
  }
}

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VirtualClock } from '../edges/testing.ts';
import { KubeError } from '../kube/errors.ts';
import type { KubeObject } from '../kube/objects.ts';
import { Premises } from './premises.ts';

const account = 'cassandra-cluster-node';

/** A cluster that has what `present` names: namespace, crd, and ServiceAccounts by name. */
class Cluster {
  readonly clock = new VirtualClock();
  readonly present: Set<string>;
  readonly changes: number[] = [];
  looks = 0;
  down = false;
  readonly premises = new Premises({
    client: {
      get: (resource, { name }) => {
        if (this.down) return Promise.reject(new KubeError('Unreachable', 'connection refused'));
        if (name === 'kube-system') return Promise.resolve(this.#object(name));
        const what = resource.plural === 'namespaces' ? 'namespace' : 'crd';
        if (this.present.has(what)) return Promise.resolve(this.#object(name));
        return Promise.reject(new KubeError('NotFound', `no ${what}`, { status: 404 }));
      },
      list: () => {
        this.looks += 1;
        const names = [...this.present].filter((each) => each !== 'namespace' && each !== 'crd');
        return Promise.resolve({
          items: names.map((name) => this.#object(name)),
          metadata: { resourceVersion: '1' },
        });
      },
    },
    clock: this.clock,
    namespace: 'cassandra',
    crdName: 'cassandraclusters.db.orange.com',
    onChange: () => this.changes.push(this.clock.monotonic()),
  });

  constructor(...present: string[]) {
    this.present = new Set(present);
  }

  #object(name: string): KubeObject {
    return { metadata: { name, uid: `uid-of-${name}`, resourceVersion: '1' } };
  }

  async whileRunning(check: () => Promise<void>): Promise<void> {
    const stop = new AbortController();
    const running = this.premises.run(stop.signal);
    await this.clock.advance(1);
    await check();
    stop.abort();
    await running;
    assert.equal(this.clock.pendingTimers, 0, 'no timer is left behind');
  }
}

test('a region that has everything is looked at every two minutes', async () => {
  const cluster = new Cluster('namespace', 'crd', 'default', account);
  await cluster.whileRunning(async () => {
    assert.equal(cluster.premises.hasServiceAccount(account), true);
    assert.equal(cluster.premises.found?.clusterUid, 'uid-of-kube-system');
    await cluster.clock.advance(119_000);
    assert.equal(cluster.looks, 1);
    await cluster.clock.advance(2_000);
    assert.equal(cluster.looks, 2);
    assert.equal(cluster.changes.length, 1);
  });
});

test('what is missing is seen within seconds once it is there', async () => {
  const cluster = new Cluster();
  await cluster.whileRunning(async () => {
    const bare = cluster.premises.found;
    assert.deepEqual([bare?.crd, bare?.namespaceExists], [undefined, false]);
    for (const what of ['crd', 'namespace']) {
      cluster.present.add(what);
      await cluster.clock.advance(3_000);
    }
    const complete = cluster.premises.found;
    assert.ok(complete?.crd && complete.namespaceExists);
    assert.equal(cluster.changes.length, 3);
  });
});

test('a ServiceAccount that is missed among others is seen within seconds once it is there', async () => {
  const cluster = new Cluster('namespace', 'crd', 'default');
  await cluster.whileRunning(async () => {
    assert.equal(cluster.premises.hasServiceAccount(account), false);
    await cluster.clock.advance(10_000);
    cluster.present.add(account);
    await cluster.clock.advance(3_000);
    assert.equal(cluster.premises.hasServiceAccount(account), true);
    assert.equal(cluster.changes.length, 2);
    const { looks } = cluster;
    await cluster.clock.advance(60_000);
    assert.equal(cluster.looks, looks);
  });
});

test('what was found stays while the cluster does not answer, and the problem is said', async () => {
  const cluster = new Cluster('namespace', 'crd', account);
  cluster.down = true;
  await cluster.whileRunning(async () => {
    const atFirst = cluster.premises.found;
    assert.equal(atFirst, undefined);
    assert.match(cluster.premises.problem, /connection refused/);
    cluster.down = false;
    await cluster.clock.advance(3_000);
    cluster.down = true;
    await cluster.clock.advance(240_000);
    assert.ok(cluster.premises.found?.crd);
    assert.equal(cluster.changes.length, 1);
  });
});

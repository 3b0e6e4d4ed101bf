import assert from 'node:assert/strict';
import { waitFor } from '../harness/index.ts';
import { type Federation, formationTimeoutMs } from './federation.ts';

/** Asserts what a formation with the right seeds from the start leaves behind: one ring, and nothing was ever restarted. */
export async function assertOneUntouchedRing(federation: Federation, nodes: number): Promise<void> {
  await assertOneRing(federation, nodes);
  for (const { name } of federation.regions.all) {
    for (const set of await federation.statefulSets(name)) {
      assert.equal(set.metadata.generation, set.spec.replicas, `${set.metadata.name} was changed after its creation`);
    }
    for (const pod of await federation.pods(name)) {
      const cassandra = pod.status.containerStatuses?.find((each) => each.name === 'cassandra');
      assert.equal(cassandra?.restartCount, 0, `${pod.metadata.name} was restarted`);
    }
  }
}

/** Asserts that every node is NORMAL and that all of them name the same hosts, as many as there are nodes. */
export async function assertOneRing(federation: Federation, nodes: number): Promise<void> {
  const table = await federation.hostTable();
  assert.equal(table.size, nodes);
  const [first, ...others] = [...table.values()];
  assert.equal(new Set(first).size, nodes);
  for (const other of others) assert.deepEqual(other, first);
}

/**
 * Waits for {@link assertOneRing}, and until every node holds every pod alive at the address that it has now: after a
 * disturbance gossip needs its time.
 */
export async function untilOneRing(federation: Federation, nodes: number): Promise<void> {
  await waitFor(
    async () => {
      await assertOneRing(federation, nodes);
      const pods = await federation.allPods();
      const addresses = new Set(pods.map(({ pod }) => pod.status.podIP));
      for (const { region, pod } of pods) {
        const { LiveNodes } = await federation.ask(region, pod.metadata.name, 'LiveNodes,OperationMode');
        assert.deepEqual(new Set(LiveNodes as string[]), addresses, `live nodes as ${pod.metadata.name} sees them`);
      }
      return true;
    },
    { what: `all views of ${federation.name} to be equal`, timeoutMs: formationTimeoutMs, intervalMs: 500 },
  );
}

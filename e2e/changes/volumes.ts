import assert from 'node:assert/strict';
import type { ApiObject } from '../harness/index.ts';
import { watched } from '../ring/watched.ts';
import { type ChangingRing, turnTimeoutMs } from './changing-ring.ts';

interface Claim extends ApiObject {
  spec: { resources: { requests: { storage: string } } };
  status: { capacity: { storage: string } };
}

/** Lets the volumes of all regions grow, and asserts that they do, one region after the other, and that no pod is touched for it. */
export async function assertVolumesGrow(ring: ChangingRing, capacity: string): Promise<void> {
  const { federation } = ring;
  const ran = await ring.pods();
  const history = await watched(federation, [], async () => {
    await ring.apply({ capacity });
    for (const region of federation.names)
      await federation.waitForCondition('Applied', 'True', { region, timeoutMs: turnTimeoutMs });
    await ring.ready();
  });
  assert.deepEqual(history.order, []);
  const turns = history.moments.map(({ region }) => region);
  assert.deepEqual(
    turns.filter((region, index) => region !== turns[index - 1]),
    federation.names,
    'one region after the other',
  );
  assert.deepEqual(await ring.pods(), ran);
  for (const region of federation.names) {
    assert.equal((await federation.member(region))?.spec['dataCapacity'], capacity);
    const path = `/api/v1/namespaces/${federation.namespaceIn(region)}/persistentvolumeclaims`;
    const claims = await federation.api(region).list<Claim>(path);
    assert.equal(claims.length, ran.get(region)?.size);
    for (const { status } of claims) assert.equal(status.capacity.storage, capacity);
    for (const { spec } of await federation.statefulSets(region)) {
      const { volumeClaimTemplates } = spec as unknown as { volumeClaimTemplates: Claim[] };
      assert.deepEqual(
        volumeClaimTemplates.map((each) => each.spec.resources.requests.storage),
        [capacity],
      );
    }
  }
}

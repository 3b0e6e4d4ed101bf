import assert from 'node:assert/strict';
import type { ApiObject } from '../harness/index.ts';
import type { Federation } from './federation.ts';

const founderAnnotation = 'ringmaster.dev/founder';

/**
 * Asserts that the ring was founded once: whoever remembers the founder names this region, and of all pods that ever
 * lived only the founder's first started without a seed, once.
 */
export async function assertFoundedOnce(federation: Federation, founder: string): Promise<void> {
  const { namespace, regions } = federation;
  assert.equal((await federation.get()).status?.ring?.founder, founder);
  const alone: string[] = [];
  for (const region of regions.all) {
    const witnesses: (ApiObject | undefined)[] = [
      await federation.member(region.name),
      await federation.guard(region.name),
    ];
    for (const each of witnesses) {
      assert.ok(each, `region ${region.name} has its member and its guard`);
      assert.equal(each.metadata.annotations?.[founderAnnotation], founder, `${each.kind} of ${region.name}`);
    }
    for (const { metadata } of await federation.pods(region.name)) {
      const said = region.bootstrapLog(namespace, metadata.name);
      alone.push(...[...said.matchAll(/starts without a seed/g)].map(() => metadata.name));
    }
  }
  const first = (await federation.pods(founder)).map(({ metadata }) => metadata.name).sort()[0];
  assert.deepEqual(alone, [first], 'pods that started without a seed');
}

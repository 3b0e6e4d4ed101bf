import assert from 'node:assert/strict';
import { Customer } from './customer.ts';
import { DisruptionHistory } from './disruption-history.ts';
import type { Federation } from './federation.ts';

/**
 * Watches all regions while a change goes through them, and has a client in each of `regions` that must not notice what happens
 * in another.
 * @throws AssertionError if two regions were disrupted at once, a client saw an error, or none was served meanwhile
 */
export async function watched(
  federation: Federation,
  regions: readonly string[],
  change: (history: DisruptionHistory) => Promise<void>,
): Promise<DisruptionHistory> {
  const history = await DisruptionHistory.start(federation);
  const customers = new Map<string, Customer>();
  try {
    for (const region of regions) {
      const addresses = async (): Promise<string[]> =>
        (await federation.pods(region)).map(({ status }) => status.podIP ?? '');
      customers.set(region, await Customer.enter(region, addresses, history));
    }
    await change(history);
  } finally {
    await Promise.all([...customers.values()].map((customer) => customer.leave()));
    history.stop();
  }
  assert.deepEqual(history.overlaps, [], 'two regions were disrupted at once');
  const errors = [...customers].flatMap(([region, customer]) => customer.errors.map((error) => `${region}: ${error}`));
  assert.deepEqual(errors, []);
  for (const [region, { served }] of customers) {
    const others = history.order.filter((each) => each !== region);
    if (others.length > 0)
      assert.ok(served > 0, `nobody was served in ${region} while ${others.join()} were disrupted`);
  }
  return history;
}

import { edit, rest } from '../federation/rollout.fixture.ts';
import { mccOf, PlannerWorld } from '../federation/testing.ts';
import { casskop } from '../operators/casskop/casskop.ts';
import { type FederationSight, type FederationView, viewFederation } from './federation-view.ts';

export { edit, rest };

/** A region's entry with one datacenter of its name, and so many racks of `nodes` nodes. */
export function regionOf(name: string, racks = 3, nodes = 1): Record<string, unknown> {
  const letters = Array.from({ length: racks }, (_, index) => ({ name: String.fromCodePoint(97 + index) }));
  return { name, datacenters: [{ name: name.replaceAll('-', ''), nodesPerRacks: nodes, racks: letters }] };
}

/** A world in which these regions form a ring, as far as `passes` of the planner bring them; by default all the way. */
export async function worldOf(regions: readonly Record<string, unknown>[], passes?: number): Promise<PlannerWorld> {
  const world = new PlannerWorld(mccOf({ regions }));
  if (passes === undefined) {
    await world.settle();
    await rest(world);
  }
  for (let pass = 0; pass < (passes ?? 0); pass++) {
    await world.step();
    world.act();
  }
  return world;
}

/** The world as the page's server has it in its caches; the object may bear another name than its Cassandra cluster. */
export function sightOf(world: PlannerWorld, name = 'orders'): FederationSight {
  const { metadata, spec } = world.mcc;
  const object = { ...world.mcc, metadata: { ...metadata, name }, spec: { ...spec, clusterName: 'orders' } };
  return { object, snapshot: world.snapshot() };
}

/** What the page tells of the world. */
export function viewOf(world: PlannerWorld): FederationView {
  return viewFederation(sightOf(world), casskop);
}

import assert from 'node:assert/strict';
import type { KubeObject } from '../kube/objects.ts';
import { mccOf, PlannerWorld } from './testing.ts';

/** The template that `mccOf` writes. */
export const template = {
  cassandraImage: 'cassandra:5.0.8',
  serverVersion: '5.0.8',
  nodesPerRacks: 1,
  dataCapacity: '1Gi',
};

/** A formed federation whose spec then becomes `spec`, merged over the one it was formed with. */
export async function edited(spec: Record<string, unknown>, from: Record<string, unknown> = {}): Promise<PlannerWorld> {
  const world = new PlannerWorld(mccOf(from));
  await world.settle();
  await rest(world);
  world.written.length = 0;
  edit(world, { ...from, ...spec });
  return world;
}

/** The user replaces the spec by `spec`, merged over a small valid one. */
export function edit(world: PlannerWorld, spec: Record<string, unknown>): void {
  const generation = (world.mcc.metadata.generation ?? 0) + 1;
  world.mcc = { ...world.mcc, metadata: { ...world.mcc.metadata, generation }, spec: mccOf(spec).spec };
}

/** Lets so much time pass that whatever has settled is believed to have. */
export async function rest(world: PlannerWorld, ms = 10_000): Promise<void> {
  world.nowMs += ms;
  await world.settle();
}

/** A spec whose template differs from the small one in these fields. */
export const withTemplate = (change: Record<string, unknown>): Record<string, unknown> => ({
  template: { spec: { ...template, ...change } },
});

/** Regions that got a write which disrupts them, in order. */
export function changed(world: PlannerWorld): string[] {
  return world.written
    .filter(({ why }) => /^(change|correct|put back) the member/.test(why))
    .map(({ region }) => region);
}

/** @throws AssertionError when the region has no member. */
export function memberOf(world: PlannerWorld, region: string): KubeObject {
  const member = world.member(region);
  assert.ok(member, `region ${region} has no member`);
  return member;
}

export function imageOf(world: PlannerWorld, region: string): unknown {
  return (memberOf(world, region)['spec'] as Record<string, unknown>)['cassandraImage'];
}

export function sizeOf(world: PlannerWorld, region: string): unknown {
  const spec = memberOf(world, region)['spec'] as { topology: { dc: { nodesPerRacks: number }[] } };
  return spec.topology.dc[0]?.nodesPerRacks;
}

/** `True Reason: message` of a condition, of the whole or of one region. */
export function conditionOf(world: PlannerWorld, type: string, region?: string): string {
  const { conditions, regions } = world.mcc.status ?? {};
  const list = region === undefined ? conditions : regions?.find(({ name }) => name === region)?.conditions;
  const found = list?.find((each) => each.type === type);
  return `${found?.status} ${found?.reason}: ${found?.message}`;
}

import { mccOf, PlannerWorld } from './testing.ts';

export type State = 'Managed' | 'Removing' | 'Abandoned';

export const template = {
  cassandraImage: 'cassandra:5.0.8',
  serverVersion: '5.0.8',
  nodesPerRacks: 2,
  dataCapacity: '1Gi',
};

export function specOf(states: Record<string, State>, more: Record<string, unknown> = {}): Record<string, unknown> {
  const regions = Object.entries(states).map(([name, state]) => ({ name, state, ...(name === 'eu' && more) }));
  return { template: { spec: template }, regions };
}

export const three: Record<string, State> = { eu: 'Managed', us: 'Managed', ap: 'Managed' };

/** Three regions of two nodes each, in one ring. */
export async function formed(): Promise<PlannerWorld> {
  const world = new PlannerWorld(mccOf(specOf(three)));
  await world.settle();
  world.written.length = 0;
  return world;
}

/** The user gives the regions these states; `more` is for eu. */
export function edit(world: PlannerWorld, states: Record<string, State>, more?: Record<string, unknown>): void {
  const generation = (world.mcc.metadata.generation ?? 0) + 1;
  world.mcc = {
    ...world.mcc,
    metadata: { ...world.mcc.metadata, generation },
    spec: mccOf(specOf(states, more)).spec,
  };
}

/** What nodes were told, in order. */
export function orders(world: PlannerWorld): string[] {
  return world.written.flatMap(({ write }) =>
    write.verb === 'order'
      ? [`${write.ref.name} ${write.order.what}${write.order.what === 'removeNode' ? ` ${write.order.hostId}` : ''}`]
      : [],
  );
}

export const stageOf = (world: PlannerWorld, name: string): string | undefined =>
  world.mcc.status?.regions?.find((region) => region.name === name)?.stage;

export const hostsOf = (world: PlannerWorld, name: string): string[] =>
  (world.mcc.status?.regions?.find((region) => region.name === name)?.hosts ?? []).map(({ hostId }) => hostId);

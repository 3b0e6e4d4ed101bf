import { type Alteration, losesNothing, statementOf } from '../ring/keyspaces.ts';
import type { PlanContext } from './context.ts';
import type { Obstacle } from './gates.ts';

/**
 * How keyspaces get the replication that a gate asks for. A gate prints the statements and waits. With spec.cql Ringmaster runs those itself that cannot
 * lose a row: keyspaces of the system to NetworkTopologyStrategy, datacenters that are added, and in keyspaces of the system those that are gone. On
 * the others a person decides, now as before.
 *
 * They are run by a node that stays, one after the other, only while the ring is whole, its nodes agree on the schema and nothing else goes on. Whoever
 * runs them looks first whether each keyspace still is as it was (run-cql.ts), so that they can be repeated.
 */
export function replicationGate(
  context: PlanContext,
  alterations: readonly Alteration[],
  words: {
    /** What is the matter. */
    readonly why: string;
    /** What a person does about it; the statements follow. */
    readonly advice: string;
    /** What comes then. */
    readonly next?: string;
  },
  where: Pick<Obstacle, 'region' | 'isLocal'> = {},
): Obstacle {
  const { why, advice, next = '' } = words;
  const own = context.federation.cql ? alterations.filter((each) => isOwn(context, each)) : [];
  const problem = own.length > 0 ? context.snapshot.cqlProblem : undefined;
  const others = alterations.filter((each) => !own.includes(each));
  const rest = problem === undefined ? others : alterations;
  const obstacle = { ...where, reason: 'ReplicationGate', ...(own.length > 0 && { alters: own }) } as const;
  const waits = schemaDisagreement(context);
  const when = waits === undefined ? '' : ` once ${waits}`;
  const itself =
    own.length > 0 && problem === undefined ? `Ringmaster runs, as spec.cql lets it${when}: ${inCql(own)}` : '';
  if (rest.length === 0) return { ...obstacle, stalled: false, message: `${why}. ${itself}${next}` };
  const said = [
    `${why}.`,
    ...(problem === undefined ? [] : [`Ringmaster could not alter keyspaces itself, and tries again: ${problem}.`]),
    ...(context.federation.cql && problem === undefined
      ? ['Rows could be lost by what spec.cql does not let Ringmaster run: a person decides on that.']
      : []),
    `${advice} ${inCql(rest)}${next}`,
    ...(itself === '' ? [] : [itself]),
  ];
  return { ...obstacle, stalled: true, message: said.join(' ') };
}

/** Whether Ringmaster may run it itself. Of nodes outside the federation it does not know the datacenters. */
function isOwn({ hosts, pictures }: PlanContext, alteration: Alteration): boolean {
  if (hosts.outside.size > 0 && !alteration.was.startsWith('NetworkTopologyStrategy')) return false;
  const pods = pictures.flatMap((picture) => picture.pods);
  const withNodes = pods.filter(({ name }) => hosts.joined.has(name)).map(({ datacenter }) => datacenter);
  return losesNothing(alteration, new Set(withNodes));
}

/** What keeps keyspaces from being altered, for whoever does: an alteration could undo what somebody else has altered elsewhere. Undefined: all nodes have one schema. */
export function schemaDisagreement({ views }: Pick<PlanContext, 'views'>): string | undefined {
  const byVersion = Map.groupBy(views.values(), ({ schemaVersion }) => schemaVersion);
  if (byVersion.size <= 1) return undefined;
  const sides = [...byVersion].map(([version, all]) => `${all.map(({ pod }) => pod).join(', ')} (${version})`);
  return `the nodes agree on the schema, which ${sides.join(' and ')} do not (nodetool describecluster)`;
}

/** In CQL. */
export function inCql(alterations: readonly Alteration[]): string {
  return alterations.map(statementOf).join(' ');
}

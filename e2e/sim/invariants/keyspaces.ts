import type { Spec } from '../../../src/api/schema.ts';
import { factorIn } from '../region/cassandra/schema.ts';
import { isDeletedMember } from './disruption.ts';
import type { Facts } from './facts.ts';
import type { Invariant } from './invariant.ts';

/** How old what a controller has read of the keyspaces may be when it lets a datacenter in, milliseconds. */
const readingMaxMs = 20_000;

/** The promise of the replication gate. */
export const keyspacesComeFirst: Invariant = {
  name: 'keyspaces are ready for a new datacenter',
  statement:
    'No datacenter is let into a ring whose keyspaces clients have written to with SimpleStrategy: part of every such keyspace would move to nodes that nobody reads it from.',
  watch: (facts) => {
    /** Keyspace -> since when every node of the ring holds it so. */
    const since = new Map<string, number>();
    const members = new Set<string>();
    const look = (): void => {
      const simple = new Set(simpleKeyspaces(facts));
      for (const name of since.keys()) if (!simple.has(name)) since.delete(name);
      for (const name of simple) if (!since.has(name)) since.set(name, facts.nowMs());
    };
    return {
      onNode: ({ kind, region }) => {
        if (kind === 'became NORMAL') members.add(region);
        return undefined;
      },
      onTick: () => {
        look();
        return undefined;
      },
      onWrite: (write) => {
        const { by, plural, subresource, succeeded, cluster, before, after } = write;
        if (isDeletedMember(write)) members.delete(cluster);
        if (plural !== 'cassandraclusters' || subresource !== undefined || !succeeded || before || !after)
          return undefined;
        if (members.size === 0 || members.has(cluster)) return undefined;
        look();
        const found = [...since].find(([, sinceMs]) => facts.nowMs() - sinceMs > readingMaxMs);
        return (
          found && `${by} let region ${cluster} join although keyspace ${found[0]} is replicated with SimpleStrategy`
        );
      },
    };
  },
};

/** What a controller may run itself. */
export const alterationsKeepRows: Invariant = {
  name: 'alterations keep rows',
  statement:
    'What a controller alters itself takes replicas from no datacenter that has nodes, and from a keyspace of the user in no way whatever: on what may lose rows a person decides.',
  watch: (facts) => ({
    onAlter: ({ by, keyspace, before, after, why }) => {
      const told = `${by} altered keyspace ${keyspace} (${why})`;
      const mcc = facts.mcc()?.['spec'] as Spec | undefined;
      if (mcc?.cql === undefined) return `${told}, and spec.cql does not let it`;
      const isUsers = !keyspace.startsWith('system');
      if (!before) return `${told}, which there is not`;
      if (isUsers && before.strategy !== 'NetworkTopologyStrategy') return `${told}, which used ${before.strategy}`;
      const withNodes = new Set(
        [...facts.ring().nodes]
          .filter(({ mode, isGossiping }) => mode === 'NORMAL' && isGossiping)
          .map(({ options }) => options.datacenter),
      );
      const had = before.strategy === 'NetworkTopologyStrategy' ? Object.keys(before.datacenters) : [...withNodes];
      const taken = had.find((name) => {
        const isLess =
          before.strategy === 'NetworkTopologyStrategy'
            ? factorIn(after, name) < factorIn(before, name)
            : factorIn(after, name) === 0;
        return isLess && (isUsers || withNodes.has(name));
      });
      return taken === undefined ? undefined : `${told}, which had more replicas in datacenter ${taken} before`;
    },
  }),
};

/** The users' keyspaces that all NORMAL nodes hold to be replicated without a look at datacenters. */
function simpleKeyspaces(facts: Facts): string[] {
  const nodes = [...facts.ring().nodes].filter(({ mode, isGossiping }) => mode === 'NORMAL' && isGossiping);
  const [first] = nodes;
  return [...(first?.view.schema.definitions.keys() ?? [])].filter(
    (name) =>
      !name.startsWith('system') &&
      nodes.every(({ view }) => view.schema.definitions.get(name)?.replication?.strategy === 'SimpleStrategy'),
  );
}

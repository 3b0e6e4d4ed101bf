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

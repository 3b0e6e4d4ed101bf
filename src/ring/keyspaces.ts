/** Keyspaces that exist on an empty ring; every other one was made by a user. */
const systemKeyspaces = new Set([
  'system',
  'system_schema',
  'system_auth',
  'system_distributed',
  'system_traces',
  'system_views',
  'system_virtual_schema',
]);

/** System keyspaces whose data must reach every datacenter. */
const replicatedSystemKeyspaces = ['system_auth', 'system_distributed', 'system_traces'];

/** The user's own among `keyspaces`. */
export function userKeyspaces(keyspaces: readonly string[]): string[] {
  return keyspaces.filter((keyspace) => !systemKeyspaces.has(keyspace)).sort();
}

/**
 * What keeps a ring from taking a new datacenter: the seeds of a new datacenter skip bootstrap and own token ranges
 * at once, so SimpleStrategy would send reads to nodes that have no data. An empty ring has nothing to lose.
 * @param replication keyspace -> Cassandra's words, e.g. `SimpleStrategy {replication_factor=1}`, for every keyspace
 *   of the ring.
 * @param datacenters node counts of the datacenters that are in the ring, for the statements' replication factors.
 * @returns CQL statements to run first; none means the gate is open.
 */
export function statementsBeforeNewDatacenter(
  replication: Readonly<Record<string, string>>,
  datacenters: Readonly<Record<string, number>>,
): string[] {
  const users = userKeyspaces(Object.keys(replication));
  if (users.length === 0) return [];
  return [...users, ...replicatedSystemKeyspaces]
    .filter((keyspace) => {
      const words = replication[keyspace] ?? '';
      return users.includes(keyspace)
        ? words.startsWith('SimpleStrategy')
        : !words.startsWith('NetworkTopologyStrategy');
    })
    .map((keyspace) => {
      const factors = Object.entries(datacenters).map(([name, nodes]) => `'${name}': ${Math.min(3, nodes)}`);
      return `ALTER KEYSPACE ${quoted(keyspace)} WITH replication = {'class': 'NetworkTopologyStrategy', ${factors.join(', ')}};`;
    });
}

/**
 * Keyspaces that lack replicas in datacenters whose nodes have joined. Those of the system have to name every one that has nodes at once, or Cassandra
 * refuses the statement.
 * @param joined node counts of all datacenters that have joined
 * @param lacking those of them that the user's keyspaces have to name as well
 * @returns CQL statements that add them; none means that all is said
 */
export function statementsForDatacenters(
  replication: Readonly<Record<string, string>>,
  joined: Readonly<Record<string, number>>,
  lacking: readonly string[],
): string[] {
  return [...userKeyspaces(Object.keys(replication)), ...replicatedSystemKeyspaces].flatMap((keyspace) => {
    const words = replication[keyspace] ?? '';
    const isUsers = !replicatedSystemKeyspaces.includes(keyspace);
    const missing = Object.entries(joined).filter(
      ([name]) => replicasIn(words, name) === 0 && (!isUsers || lacking.includes(name)),
    );
    if (missing.length === 0 || !words.startsWith('NetworkTopologyStrategy')) return [];
    const factors = [
      ...factorsIn(words).map(([name, replicas]) => `'${name}': ${replicas}`),
      ...missing.map(([name, nodes]) => `'${name}': ${Math.min(3, nodes)}`),
    ];
    return `ALTER KEYSPACE ${quoted(keyspace)} WITH replication = {'class': 'NetworkTopologyStrategy', ${factors.join(', ')}};`;
  });
}

/** Replicas that Cassandra's words, e.g. `NetworkTopologyStrategy {eu=3, us=2}`, ask for in one datacenter; SimpleStrategy asks for none in particular. */
export function replicasIn(words: string, datacenter: string): number {
  const own = factorsIn(words).find(([name]) => name === datacenter);
  return own ? Number.parseInt(own[1], 10) || 0 : 0;
}

function factorsIn(words: string): [string, string][] {
  const factors = /\{(.*)\}/.exec(words)?.[1]?.split(',') ?? [];
  return factors.map((each) => {
    const [name = '', replicas = ''] = each.trim().split('=');
    return [name, replicas];
  });
}

/**
 * What keeps a datacenter's nodes from leaving for good: keyspaces that ask for replicas in it.
 * @param datacenters those that leave
 * @returns CQL statements that leave them out; for a keyspace that is replicated nowhere else a comment that says so.
 */
export function statementsWithoutDatacenters(
  replication: Readonly<Record<string, string>>,
  datacenters: readonly string[],
): string[] {
  return Object.entries(replication)
    .filter(([, words]) => datacenters.some((name) => replicasIn(words, name) > 0))
    .map(([keyspace, words]) => {
      const kept = factorsIn(words).filter(([name]) => !datacenters.includes(name));
      if (kept.length === 0)
        return `-- keyspace ${quoted(keyspace)} has all its replicas in ${datacenters.join(', ')}: give it some elsewhere`;
      const factors = kept.map(([name, replicas]) => `'${name}': ${replicas}`);
      return `ALTER KEYSPACE ${quoted(keyspace)} WITH replication = {'class': 'NetworkTopologyStrategy', ${factors.join(', ')}};`;
    });
}

function quoted(identifier: string): string {
  return /^[a-z][a-z0-9_]*$/.test(identifier) ? identifier : `"${identifier.replaceAll('"', '""')}"`;
}

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
export const replicatedSystemKeyspaces = ['system_auth', 'system_distributed', 'system_traces'];

/** The user's own among `keyspaces`. */
export function userKeyspaces(keyspaces: readonly string[]): string[] {
  return keyspaces.filter((keyspace) => !systemKeyspaces.has(keyspace)).sort();
}

/** Another way for a keyspace to be replicated. */
export interface Alteration {
  readonly keyspace: string;
  /** How it is replicated now, in Cassandra's own words, e.g. `NetworkTopologyStrategy {eu=3, us=3}`. */
  readonly was: string;
  /** Replicas in each datacenter; without any it would be replicated nowhere, and somebody has to say where instead. */
  readonly to: readonly (readonly [datacenter: string, replicas: string])[];
}

/** In CQL; a comment of one that leaves a keyspace without a replica. */
export function statementOf({ keyspace, was, to }: Alteration): string {
  if (to.length === 0) {
    const where = factorsIn(was).map(([name]) => name);
    return `-- keyspace ${quoted(keyspace)} has all its replicas in ${where.join(', ')}: give it some elsewhere`;
  }
  const factors = to.map(([name, replicas]) => `'${name}': ${replicas}`);
  return `ALTER KEYSPACE ${quoted(keyspace)} WITH replication = {'class': 'NetworkTopologyStrategy', ${factors.join(', ')}};`;
}

/**
 * Whether no row can be lost by an alteration, nor become impossible to find: no datacenter that has nodes has fewer replicas than before. A keyspace of the
 * user must use NetworkTopologyStrategy already, and keeps replicas even where there are no nodes.
 * @param withNodes the datacenters that have nodes, all of them
 */
export function losesNothing({ keyspace, was, to }: Alteration, withNodes: ReadonlySet<string>): boolean {
  const after = new Map(to);
  if (to.length === 0 || to.some(([, replicas]) => !/^[1-9]\d*$/.test(replicas))) return false;
  const isSystems = replicatedSystemKeyspaces.includes(keyspace);
  if (!was.startsWith('NetworkTopologyStrategy')) return isSystems && [...withNodes].every((name) => after.has(name));
  return factorsIn(was).every(
    ([name, replicas]) =>
      replicas === '0' || after.get(name) === replicas || (isSystems && !withNodes.has(name) && !after.has(name)),
  );
}

/** Whether Cassandra's words say the same as a row of system_schema.keyspaces, whatever the order. */
export function isReplicatedSo(words: string, row: Readonly<Record<string, string>>): boolean {
  const { class: strategy = '', ...factors } = row;
  const isSame = words.startsWith(`${strategy.replace(/^.*\./, '')} `);
  const said = factorsIn(words);
  return isSame && said.length === Object.keys(factors).length && said.every(([name, each]) => factors[name] === each);
}

/** Whether a keyspace is replicated as the alteration would have it. */
export function isAltered({ to }: Alteration, row: Readonly<Record<string, string>>): boolean {
  const factors = to.map(([name, replicas]) => `${name}=${replicas}`).join(', ');
  return isReplicatedSo(`NetworkTopologyStrategy {${factors}}`, row);
}

const replicasFor = (nodes: number): string => String(Math.min(3, nodes));

/**
 * What keeps a ring from taking a new datacenter: the seeds of a new datacenter skip bootstrap and own token ranges
 * at once, so SimpleStrategy would send reads to nodes that have no data. An empty ring has nothing to lose.
 * @param replication keyspace -> Cassandra's words, e.g. `SimpleStrategy {replication_factor=1}`, for every keyspace
 *   of the ring.
 * @param datacenters node counts of the datacenters that are in the ring, for the statements' replication factors.
 * @returns what has to be altered first; nothing means the gate is open.
 */
export function alterationsBeforeNewDatacenter(
  replication: Readonly<Record<string, string>>,
  datacenters: Readonly<Record<string, number>>,
): Alteration[] {
  const users = userKeyspaces(Object.keys(replication));
  if (users.length === 0) return [];
  return [...users, ...replicatedSystemKeyspaces]
    .filter((keyspace) => {
      const words = replication[keyspace] ?? '';
      return users.includes(keyspace)
        ? words.startsWith('SimpleStrategy')
        : !words.startsWith('NetworkTopologyStrategy');
    })
    .map((keyspace) => ({
      keyspace,
      was: replication[keyspace] ?? '',
      to: Object.entries(datacenters).map(([name, nodes]) => [name, replicasFor(nodes)] as const),
    }));
}

/**
 * Keyspaces that lack replicas in datacenters whose nodes have joined. Those of the system have to name every one that has nodes at once, or Cassandra
 * refuses the statement.
 * @param joined node counts of all datacenters that have joined
 * @param lacking those of them that the user's keyspaces have to name as well
 * @returns what adds them; nothing means that all is said
 */
export function alterationsForDatacenters(
  replication: Readonly<Record<string, string>>,
  joined: Readonly<Record<string, number>>,
  lacking: readonly string[],
): Alteration[] {
  return [...userKeyspaces(Object.keys(replication)), ...replicatedSystemKeyspaces].flatMap((keyspace) => {
    const words = replication[keyspace] ?? '';
    const isUsers = !replicatedSystemKeyspaces.includes(keyspace);
    const missing = Object.entries(joined).filter(
      ([name]) => replicasIn(words, name) === 0 && (!isUsers || lacking.includes(name)),
    );
    if (missing.length === 0 || !words.startsWith('NetworkTopologyStrategy')) return [];
    const kept = factorsIn(words).filter(([name]) => missing.every(([each]) => each !== name));
    return {
      keyspace,
      was: words,
      to: [...kept, ...missing.map(([name, nodes]) => [name, replicasFor(nodes)] as const)],
    };
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
 */
export function alterationsWithoutDatacenters(
  replication: Readonly<Record<string, string>>,
  datacenters: readonly string[],
): Alteration[] {
  return Object.entries(replication)
    .filter(([, words]) => datacenters.some((name) => replicasIn(words, name) > 0))
    .map(([keyspace, words]) => ({
      keyspace,
      was: words,
      to: factorsIn(words).filter(([name]) => !datacenters.includes(name)),
    }));
}

function quoted(identifier: string): string {
  return /^[a-z][a-z0-9_]*$/.test(identifier) ? identifier : `"${identifier.replaceAll('"', '""')}"`;
}

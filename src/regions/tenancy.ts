/** A set of namespaces: some by name, or all. */
export type Namespaces = 'all' | ReadonlySet<string>;

/** Who may use a region, and where in it. */
export interface Tenancy {
  /** Namespaces of the hub whose MultiCassandraClusters may name the region. */
  readonly hubNamespaces: Namespaces;
  /** Namespaces of the region that they may write to; `own`: the one named like the MultiCassandraCluster's. */
  readonly regionNamespaces: Namespaces | 'own';
}

/** What holds where nobody says anything else: every hub namespace, each in the region's namespace of its own name. */
export const defaultTenancy: Tenancy = { hubNamespaces: 'all', regionNamespaces: 'own' };
export const openTenancy: Tenancy = { hubNamespaces: 'all', regionNamespaces: 'all' };

/** A list of namespaces cannot be understood; the message says which part. */
export class TenancyError extends Error {
  override readonly name = 'TenancyError';
  readonly code = 'TenancyInvalid';
}

const namespaceName = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;

/**
 * Reads a comma-separated list of namespaces, or `*` for all. An empty list allows none.
 * @throws TenancyError for a name that no namespace can have.
 */
export function parseNamespaces(list: string): Namespaces {
  const names = list
    .split(',')
    .map((each) => each.trim())
    .filter((each) => each !== '');
  if (names.length === 1 && names[0] === '*') return 'all';
  const wrong = names.find((each) => !namespaceName.test(each));
  if (wrong !== undefined) {
    throw new TenancyError(
      `${JSON.stringify(wrong)} is no name of a namespace; write names separated by commas, or * alone for all`,
    );
  }
  return new Set(names);
}

/**
 * Reads `NAME=HUB_NAMESPACES[/REGION_NAMESPACES]`, as the flag --allow has it. NAME is a context, or `*` for all that
 * have no flag of their own; without the second list, the region's namespace is the MultiCassandraCluster's.
 * @throws TenancyError
 */
export function parseAllow(text: string): { name: string; tenancy: Tenancy } {
  // A context's name may have = and / in it, a namespace never.
  const [, name, hub, region] = /^(.+)=([^=/]*)(?:\/([^=/]*))?$/.exec(text) ?? [];
  if (name === undefined || hub === undefined) {
    throw new TenancyError(
      `${JSON.stringify(text)} is not NAME=HUB_NAMESPACES or NAME=HUB_NAMESPACES/REGION_NAMESPACES, such as eu=cassandra,staging/*`,
    );
  }
  return {
    name,
    tenancy: {
      hubNamespaces: parseNamespaces(hub),
      regionNamespaces: region === undefined ? 'own' : parseNamespaces(region),
    },
  };
}

/** Whether any MultiCassandraCluster of this hub namespace may use the region at all. */
export function isOpenTo({ hubNamespaces }: Tenancy, hubNamespace: string): boolean {
  return has(hubNamespaces, hubNamespace);
}

/** Why a MultiCassandraCluster of `hubNamespace` may not write to `namespace` of the region; undefined: it may. */
export function tenancyProblem(
  tenancy: Tenancy,
  region: string,
  hubNamespace: string,
  namespace: string,
): string | undefined {
  // Names that no namespace can have are refused even where all are allowed: they would lead somewhere else in a URL.
  if (!has(tenancy.hubNamespaces, hubNamespace)) {
    return `its registration does not let namespace ${JSON.stringify(hubNamespace)} of the hub use ${region}`;
  }
  const allowed =
    tenancy.regionNamespaces === 'own'
      ? namespaceName.test(namespace) && namespace === hubNamespace
      : has(tenancy.regionNamespaces, namespace);
  if (allowed) return undefined;
  const open =
    tenancy.regionNamespaces === 'own' ? `only ${hubNamespace}, the namespace of its own name` : 'others only';
  return `its registration does not let namespace ${JSON.stringify(namespace)} of ${region} be written to from namespace ${hubNamespace} of the hub: ${open}`;
}

function has(namespaces: Namespaces, name: string): boolean {
  return namespaceName.test(name) && (namespaces === 'all' || namespaces.has(name));
}

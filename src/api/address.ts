/** What seeds.address may name. */
export const addressVariables = ['pod', 'service', 'namespace', 'cluster', 'datacenter', 'rack', 'region'] as const;
export type AddressVariables = Record<(typeof addressVariables)[number], string>;

/** How CassKop itself names a node; it resolves inside that Kubernetes cluster only. */
export const localAddress = '{pod}.{service}.{namespace}';

const placeholder = /\{([^{}]*)\}/g;

/** The names in braces that are not variables, in the order they appear. */
export function unknownVariables(address: string): string[] {
  const known: readonly string[] = addressVariables;
  return [...address.matchAll(placeholder)].map((match) => match[1] ?? '').filter((name) => !known.includes(name));
}

/** `address` with every known variable filled in; anything else stays as written. */
export function expandAddress(address: string, variables: AddressVariables): string {
  return address.replaceAll(placeholder, (whole, name: string) =>
    Object.hasOwn(variables, name) ? variables[name as keyof AddressVariables] : whole,
  );
}

/** A resolver that cannot tell whether a name exists: "Temporary failure in name resolution". */
export const resolverFails = Symbol('resolverFails');

/** The address of a name, or undefined when there is no such name. */
export type Resolution = string | undefined | typeof resolverFails;

/** Whether a name is an IPv4 address as it stands. */
export function isAddress(name: string): boolean {
  return /^\d+\.\d+\.\d+\.\d+$/.test(name);
}

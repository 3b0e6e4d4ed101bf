/** A CassKop as far as it can be told. */
export type CasskopVersion = readonly [major: number, minor: number, patch: number];

/** What is known to go wrong with versions of CassKop, read in its source and tried with the operator itself. */
export interface KnownBug {
  /** First version that has it, and first one that has not. */
  readonly since?: CasskopVersion;
  readonly until?: CasskopVersion;
  /** What it does, and what Ringmaster makes of it. */
  readonly message: string;
  /** What a person does about it; undefined: Ringmaster keeps clear of it. */
  readonly todo?: string;
}

/** The newest that was tried. */
export const newestTried: CasskopVersion = [2, 3, 4];

export const knownBugs: readonly KnownBug[] = [
  {
    since: [2, 3, 0],
    until: [2, 3, 3],
    message:
      'it drops the seeds that a new member brings along and computes its own, so that the pods of a region that is added may start with the wrong list',
    todo: 'upgrade CassKop to 2.3.3 or newer before you add a region',
  },
  {
    since: [2, 3, 2],
    message:
      'a datacenter that is appended to a running member has it scale all racks to one node, so such a spec is refused',
  },
  {
    message:
      'a datacenter whose own dataCapacity grows has its StatefulSets deleted and made anew for ever, so such a spec is refused',
  },
  {
    message:
      'with no pod of a region ready it takes no change, not even the one that mends it, which is said as NoPodReady',
  },
];

/** The version in an image's tag such as `ghcr.io/cscetbon/casskop:v2.3.4-release`; undefined: none can be told. */
export function versionOfImage(image: string): CasskopVersion | undefined {
  const tag = /:v?(\d+)\.(\d+)\.(\d+)[^/]*$/.exec(image);
  return tag ? [Number(tag[1]), Number(tag[2]), Number(tag[3])] : undefined;
}

/** Whether an image is the operator itself, and neither its bootstrap image nor Multi-CassKop. */
export function isOperatorImage(image: string): boolean {
  return /(?:^|\/)casskop(?:[:@]|$)/.test(image);
}

export function bugsOf(version: CasskopVersion): KnownBug[] {
  return knownBugs.filter(
    ({ since, until }) => (!since || compare(version, since) >= 0) && (!until || compare(version, until) < 0),
  );
}

/** Below zero: the first is the older one. */
export function compare(one: CasskopVersion, other: CasskopVersion): number {
  return one[0] - other[0] || one[1] - other[1] || one[2] - other[2];
}

/**
 * A set of paths into an object: fields by name, items of lists by `itemKey`. Immutable; undefined stands for the
 * empty set. A path being a member says nothing about the paths below it.
 */
export interface FieldSet {
  readonly member: boolean;
  readonly children: ReadonlyMap<string, FieldSet> | undefined;
}

export const leafSet: FieldSet = { member: true, children: undefined };

/** The set of `member` and the children; undefined when that is nothing. */
export function setOf(member: boolean, children: ReadonlyMap<string, FieldSet> | undefined): FieldSet | undefined {
  if (!children || children.size === 0) return member ? leafSet : undefined;
  return { member, children };
}

export function union(one: FieldSet | undefined, other: FieldSet | undefined): FieldSet | undefined {
  if (!one || one === other) return other;
  if (!other) return one;
  let children = one.children;
  if (other.children) {
    let copy: Map<string, FieldSet> | undefined;
    for (const [key, theirs] of other.children) {
      const ours = one.children?.get(key);
      const both = union(ours, theirs);
      if (both && both !== ours) (copy ??= new Map(one.children)).set(key, both);
    }
    children = copy ?? children;
  }
  const member = one.member || other.member;
  return member === one.member && children === one.children ? one : { member, children };
}

/** What is in `one` and not in `other`, path by path. */
export function difference(one: FieldSet | undefined, other: FieldSet | undefined): FieldSet | undefined {
  if (!one || !other) return one;
  if (one === other) return undefined;
  let children = one.children;
  if (children && other.children) {
    const [few, many] = children.size < other.children.size ? [children, other.children] : [other.children, children];
    let copy: Map<string, FieldSet> | undefined;
    for (const key of few.keys()) {
      if (!many.has(key)) continue;
      const ours = children.get(key);
      const left = difference(ours, other.children.get(key));
      if (left === ours) continue;
      copy ??= new Map(children);
      if (left) copy.set(key, left);
      else copy.delete(key);
    }
    children = copy ?? children;
  }
  const member = one.member && !other.member;
  return member === one.member && children === one.children ? one : setOf(member, children);
}

export function intersection(one: FieldSet | undefined, other: FieldSet | undefined): FieldSet | undefined {
  if (!one || !other) return undefined;
  if (one === other) return one;
  const children = new Map<string, FieldSet>();
  for (const [key, ours] of one.children ?? []) {
    const both = intersection(ours, other.children?.get(key));
    if (both) children.set(key, both);
  }
  return setOf(one.member && other.member, children);
}

/** Whether they have the same members. */
export function sameSet(one: FieldSet | undefined, other: FieldSet | undefined): boolean {
  if (one === other) return true;
  if (!one || !other || one.member !== other.member) return false;
  if ((one.children?.size ?? 0) !== (other.children?.size ?? 0)) return false;
  for (const [key, ours] of one.children ?? []) if (!sameSet(ours, other.children?.get(key))) return false;
  return true;
}

/** The member paths as the server writes them in messages, such as `.spec.size`: of each level its own first. */
export function pathsOf(set: FieldSet | undefined, prefix = ''): string[] {
  const children = [...(set?.children ?? [])].sort(([one], [other]) => (one < other ? -1 : 1));
  const named = children.map(([key, child]) => ({
    path: key.startsWith('\0') ? `${prefix}[${key.slice(1)}]` : `${prefix}.${key}`,
    child,
  }));
  const own = named.filter(({ child }) => child.member).map(({ path }) => path);
  return [...own, ...named.flatMap(({ path, child }) => pathsOf(child, path))];
}

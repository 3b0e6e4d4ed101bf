import { isRecord, sameValue, without, type Json } from './values.ts';

/** JSON merge patch (RFC 7396). Shares what does not change. */
export function mergePatched(value: unknown, patch: unknown): unknown {
  if (!isRecord(patch)) return patch;
  const target: Json = isRecord(value) ? value : {};
  let copy: Record<string, unknown> | undefined;
  for (const key in patch) {
    const change = patch[key];
    if (change === null) {
      if (key in target) delete (copy ??= { ...target })[key];
      continue;
    }
    const after = mergePatched(target[key], change);
    if (after !== target[key]) (copy ??= { ...target })[key] = after;
  }
  return copy ?? target;
}

interface Operation {
  op: string;
  path: string;
  value?: unknown;
}

/** Stands for the outcome of a JSON patch that cannot be carried out: a test failed, or a path leads nowhere. */
export const impossible: unique symbol = Symbol('impossible patch');

/**
 * JSON patch (RFC 6902): test, add, replace, remove. As in the server's library the last field of a path may be missing
 * for a replace too, and counts as null for a test.
 */
export function jsonPatched(value: unknown, operations: readonly Operation[]): unknown {
  let result = value;
  for (const operation of operations) {
    const next = changed(result, operation, pointer(operation.path));
    if (next === impossible) return next;
    result = next;
  }
  return result;
}

function pointer(path: string): string[] {
  if (path === '') return [];
  return path
    .slice(1)
    .split('/')
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
}

function changed(value: unknown, operation: Operation, [key, ...rest]: string[]): unknown {
  const { op, value: given } = operation;
  if (key === undefined) {
    if (op === 'test') return sameValue(value, given) ? value : impossible;
    return op === 'remove' ? undefined : given;
  }
  if (Array.isArray(value)) return changedList(value, operation, key, rest);
  if (!isRecord(value)) return impossible;
  if (rest.length === 0) {
    if (op === 'test') return sameValue(value[key] ?? null, given ?? null) ? value : impossible;
    if (op !== 'remove') return { ...value, [key]: given };
    return key in value ? without(value, key) : impossible;
  }
  if (!(key in value)) return impossible;
  const after = changed(value[key], operation, rest);
  if (after === impossible) return impossible;
  return after === value[key] ? value : { ...value, [key]: after };
}

function changedList(list: readonly unknown[], operation: Operation, key: string, rest: string[]): unknown {
  const { op, value: given } = operation;
  const index = key === '-' ? list.length : Number(key);
  const last = op === 'add' && rest.length === 0 ? list.length : list.length - 1;
  if (!Number.isInteger(index) || index < 0 || index > last) return impossible;
  if (rest.length > 0 || op === 'test') {
    const after = changed(list[index], operation, rest);
    if (after === impossible) return impossible;
    return after === list[index] ? list : list.with(index, after);
  }
  if (op === 'add') return list.toSpliced(index, 0, given);
  return op === 'remove' ? list.toSpliced(index, 1) : list.with(index, given);
}

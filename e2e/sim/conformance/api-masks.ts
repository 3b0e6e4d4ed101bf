import type { Answer } from './api-subject.ts';

/**
 * Answers without what differs between two servers that do the same: uids and versions become the numbers of their first
 * appearance, times and the details of managedFields go. A version that two answers share is shared in the result too.
 */
export function masked(answers: readonly Answer[]): unknown[] {
  const uids = new Map<string, string>();
  const versions = new Map<string, string>();
  const numbered = (known: Map<string, string>, prefix: string, value: string): string => {
    const found = known.get(value) ?? `${prefix}${known.size + 1}`;
    known.set(value, found);
    return found;
  };
  const mask = (value: unknown, key: string): unknown => {
    if (key === 'managedFields') return owners(value);
    if (key === 'causes')
      return causesOf(value)
        .map((cause) => JSON.stringify(mask(cause, '')))
        .sort();
    if (Array.isArray(value)) return value.map((item) => mask(item, ''));
    if (typeof value === 'object' && value !== null) {
      // In the order of the keys, since servers write them in orders of their own.
      const entries = Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1));
      return Object.fromEntries(entries.map(([name, each]) => [name, mask(each, name)]));
    }
    if (typeof value !== 'string') return value;
    if (key === 'uid') return numbered(uids, 'uid ', value);
    if (key === 'resourceVersion') return numbered(versions, 'version ', value);
    return value
      .replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/g, '<time>')
      .replaceAll(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, '<uid>')
      .replaceAll(/\(\d+\)|\b\d{3,}\b/g, '<version>');
  };
  return answers.map(({ status, body }) => ({ status, body: mask(withoutListVersion(withoutInvalidWords(body)), '') }));
}

/** What is of the wrong type comes in words that differ by path, and with a note that other rules were not looked at. */
function causesOf(value: unknown): object[] {
  const causes = value as { reason: string; field: string; message: string }[];
  return causes
    .filter(({ field }) => field !== '<nil>')
    .map((cause) => (cause.reason === 'FieldValueTypeInvalid' ? { ...cause, message: '' } : cause));
}

/** Who owns something by which operation; the order of equal times is chance. */
function owners(entries: unknown): string[] {
  return (entries as { manager: string; operation: string; subresource?: string }[])
    .map(({ manager, operation, subresource = '' }) => `${manager} ${operation} ${subresource}`.trim())
    .sort();
}

/** The words of such a refusal repeat its causes, in an order that is chance. */
function withoutInvalidWords(body: unknown): unknown {
  const isInvalid = typeof body === 'object' && body !== null && 'reason' in body && body.reason === 'Invalid';
  return isInvalid ? { ...body, message: undefined } : body;
}

/** A list shows the version of the whole server, on which others write too. */
function withoutListVersion(body: unknown): unknown {
  if (typeof body !== 'object' || body === null || !('items' in body)) return body;
  return { ...body, metadata: {} };
}

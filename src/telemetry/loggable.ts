const depthMax = 8;
const redacted = '[redacted]';

/** Names of fields whose value is never written, whatever it is. */
const secretField = /^(authorization|proxy-authorization|cookie|set-cookie|.*token|.*password|.*secret|.*key-?data)$/i;
/** Secrets inside text: bearer and basic credentials, and JSON web tokens. */
const secretText = /\b(bearer|basic)\s+[\w.~+/=-]{6,}|\beyJ[\w-]{6,}\.[\w-]+\.[\w-]*/gi;

/**
 * A copy of `value` that JSON can hold and anyone may read: errors with name, code, message, stack and causes, secrets
 * replaced, depth limited.
 */
export function toLoggable(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') {
    return value.replace(secretText, (match) => `${match.match(/^(bearer|basic)\s/i)?.[0] ?? ''}${redacted}`);
  }
  if (typeof value === 'bigint') return String(value);
  if (typeof value === 'function' || typeof value === 'symbol') return undefined;
  if (typeof value !== 'object' || value === null) return value;
  if (depth >= depthMax) return '[too deep]';
  if (value instanceof Error) return errorFields(value, depth);
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'Invalid Date' : value.toISOString();
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  if (Array.isArray(value)) return value.map((each) => toLoggable(each, depth + 1));
  if (value instanceof Set) return [...(value as Set<unknown>)].map((each) => toLoggable(each, depth + 1));
  const entries: [unknown, unknown][] =
    value instanceof Map ? [...(value as Map<unknown, unknown>)] : Object.entries(value);
  const copy: Record<string, unknown> = {};
  for (const [key, field] of entries) {
    const name = String(key);
    copy[name] = secretField.test(name) ? redacted : toLoggable(field, depth + 1);
  }
  return copy;
}

function errorFields(error: Error, depth: number): Record<string, unknown> {
  const code = 'code' in error ? error.code : undefined;
  return {
    name: error.name,
    ...(code !== undefined && { code: toLoggable(code, depth + 1) }),
    message: toLoggable(error.message),
    // The causes' stacks would only repeat how the outer error came about.
    ...(depth <= 1 && error.stack !== undefined && { stack: toLoggable(error.stack) }),
    ...(error.cause !== undefined && { cause: toLoggable(error.cause, depth + 1) }),
    ...(error instanceof AggregateError && { errors: toLoggable(error.errors, depth + 1) }),
  };
}

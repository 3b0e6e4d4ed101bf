/** RFC 3339, as Kubernetes and its clients write it: a date, a time with any number of decimals, and an offset. */
const rfc3339 = /^(\d{4}-\d{2}-\d{2})[Tt ](\d{2}:\d{2}:\d{2})(?:\.(\d+))?([Zz]|[+-]\d{2}:\d{2})$/;

/**
 * A Kubernetes MicroTime: exactly six decimals. API servers refuse three, which is what Date writes.
 * `milliseconds` since 1970; what is smaller than a microsecond is dropped.
 */
export function formatMicroTime(milliseconds: number): string {
  const whole = Math.floor(milliseconds);
  const micros = Math.floor((milliseconds - whole) * 1000);
  return new Date(whole).toISOString().replace('Z', `${String(micros).padStart(3, '0')}Z`);
}

/** Milliseconds since 1970, with decimals; undefined for what is no time in RFC 3339. */
export function parseMicroTime(text: string): number | undefined {
  const [, date, time, decimals = '', offset = ''] = rfc3339.exec(text) ?? [];
  const seconds = Date.parse(`${date}T${time}${offset.toUpperCase()}`);
  return Number.isNaN(seconds) ? undefined : seconds + Number(`0.${decimals || '0'}`) * 1000;
}

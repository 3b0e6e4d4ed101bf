/**
 * `compute`, done once for each of the last `limit` texts. For pure functions of answers that are mostly those of the
 * time before; what it gives is shared, so nobody may change it. A text for which it throws is not remembered.
 */
export function perText<Value>(limit: number, compute: (text: string) => Value): (text: string) => Value {
  const known = new Map<string, Value>();
  return (text) => {
    const found = known.get(text);
    if (found !== undefined) return found;
    const value = compute(text);
    for (const oldest of known.keys()) {
      if (known.size < limit) break;
      known.delete(oldest);
    }
    known.set(text, value);
    return value;
  };
}

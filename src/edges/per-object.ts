/**
 * `compute`, done once for each object and remembered for as long as the object lives. For pure functions of objects
 * that never change, such as what a cache holds: the planner looks at the same ones pass after pass.
 */
export function perObject<Key extends object, Value>(compute: (key: Key) => Value): (key: Key) => Value {
  const known = new WeakMap<Key, { value: Value }>();
  return (key) => {
    let found = known.get(key);
    if (!found) {
      found = { value: compute(key) };
      known.set(key, found);
    }
    return found.value;
  };
}

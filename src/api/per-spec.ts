import { perObject } from '../edges/per-object.ts';
import type { MultiCassandraCluster, Spec } from './schema.ts';

/** As `perObject`, for what follows from spec and name alone: a new status leaves it as it is. */
export function perSpec<Value>(compute: (mcc: MultiCassandraCluster) => Value): (mcc: MultiCassandraCluster) => Value {
  const bySpec = perObject<Spec, Map<string, Value>>(() => new Map());
  return (mcc) => {
    const { namespace, name } = mcc.metadata;
    const known = bySpec(mcc.spec);
    const key = `${namespace}/${name}`;
    let value = known.get(key);
    if (value === undefined) known.set(key, (value = compute(mcc)));
    return value;
  };
}

import { notYetSupported, type Problem } from '../problem.ts';
import type { MultiCassandraCluster } from '../schema.ts';

/** What the schema has a field for but this version of Ringmaster does not do yet. */
export function validateSupport(mcc: MultiCassandraCluster): Problem[] {
  return [...specProblems(mcc), ...regionProblems(mcc)];
}

function* specProblems({ spec }: MultiCassandraCluster): Generator<Problem> {
  if (spec.operator !== 'CassKop') {
    yield notYetSupported(['spec', 'operator'], `Ringmaster does not drive ${spec.operator} yet. Use CassKop.`);
  }
}

function* regionProblems({ spec }: MultiCassandraCluster): Generator<Problem> {
  for (const [index, region] of spec.regions.entries()) {
    const path = ['spec', 'regions', index];
    if (region.operator !== undefined && region.operator !== 'CassKop') {
      yield notYetSupported([...path, 'operator'], `Ringmaster does not drive ${region.operator} yet. Use CassKop.`);
    }
  }
}

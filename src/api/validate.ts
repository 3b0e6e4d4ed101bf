import { effective } from './effective.ts';
import { perSpec } from './per-spec.ts';
import { type Problem, withoutRepeats } from './problem.ts';
import type { MultiCassandraCluster } from './schema.ts';
import { validateNames } from './validation/names.ts';
import { validateSeeds } from './validation/seeds.ts';
import { validateSupport } from './validation/support.ts';
import { validateTemplate } from './validation/template.ts';
import { validateVersionsAndDisks } from './validation/versions.ts';

/**
 * Everything wrong with an object that the schema alone cannot see, in a stable order; empty if there is nothing. Pure,
 * and never throws for what parseMultiCassandraCluster returned. Whether the members' fields exist in the regions is
 * validation/members.ts, since that needs the regions' CRDs.
 */
export const validate = perSpec((mcc: MultiCassandraCluster): readonly Problem[] => {
  const federation = effective(mcc);
  return withoutRepeats([
    ...validateNames(mcc, federation),
    ...validateTemplate(mcc, federation),
    ...validateVersionsAndDisks(mcc, federation),
    ...validateSeeds(mcc, federation),
    ...validateSupport(mcc),
  ]);
});

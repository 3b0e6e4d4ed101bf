import type { JsonObject } from '../json.ts';
import type { FieldPath } from '../problem.ts';
import type { MultiCassandraCluster } from '../schema.ts';

/** A place where the user writes fields of the regional object's spec. */
export interface WrittenPart {
  /** What stands there. */
  spec: JsonObject;
  path: FieldPath;
  /** Position of the region it belongs to; absent for the template, which belongs to all. */
  region?: number;
}

/** The template's spec and each region's patch. */
export function writtenParts({ spec }: MultiCassandraCluster): WrittenPart[] {
  const patches = spec.regions.flatMap(({ patch }, region) =>
    patch?.spec ? [{ spec: patch.spec, path: ['spec', 'regions', region, 'patch', 'spec'], region }] : [],
  );
  return [{ spec: spec.template.spec, path: ['spec', 'template', 'spec'] }, ...patches];
}

/** The overrides of each datacenter. */
export function writtenOverrides({ spec }: MultiCassandraCluster): (WrittenPart & { region: number })[] {
  return spec.regions.flatMap(({ datacenters }, region) =>
    (datacenters ?? []).flatMap(({ overrides }, index) =>
      overrides
        ? [{ spec: overrides, path: ['spec', 'regions', region, 'datacenters', index, 'overrides'], region }]
        : [],
    ),
  );
}

/**
 * Where a top-level field of a region's member spec was written or would have to be: the region's patch if that has it,
 * else the region's removals if they took it out of the template, else the template.
 */
export function whereWritten({ spec }: MultiCassandraCluster, region: number, field: string): FieldPath {
  const written = spec.regions[region];
  if (written?.patch?.spec && Object.hasOwn(written.patch.spec, field)) {
    return ['spec', 'regions', region, 'patch', 'spec', field];
  }
  const removal = written?.remove?.indexOf(`/spec/${field}`) ?? -1;
  if (removal >= 0 && Object.hasOwn(spec.template.spec, field)) return ['spec', 'regions', region, 'remove', removal];
  return ['spec', 'template', 'spec', field];
}

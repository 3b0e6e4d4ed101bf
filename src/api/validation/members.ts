import { parsePointer } from '../merge.ts';
import { parsePath, type Problem, withoutRepeats } from '../problem.ts';
import { checkAgainstSchema, type OpenApiSchema } from '../schema-check.ts';
import type { MultiCassandraCluster } from '../schema.ts';
import { writtenOverrides, writtenParts } from './written-parts.ts';

/** The parts of a regional object's CRD schema that a user writes into. */
export interface MemberSchema {
  /** Of the object's spec. */
  spec: OpenApiSchema;
  /** Of one datacenter in it, for overrides. */
  datacenter?: OpenApiSchema;
}

/**
 * Checks what the user wrote in template, patches and overrides against the CRDs of the regions, so that a misspelt
 * field is reported where it stands. `schemaOf` gives the schema of a region by its name, or undefined where it is not
 * known: nothing is said of such a region then. Fields that a region removes are not held against its schema.
 */
export function validateMembers(
  mcc: MultiCassandraCluster,
  schemaOf: (region: string) => MemberSchema | undefined,
): Problem[] {
  const parts = writtenParts(mcc);
  const overrides = writtenOverrides(mcc);
  return withoutRepeats(
    mcc.spec.regions.flatMap(({ name, remove }, region) => {
      const schema = schemaOf(name);
      if (!schema) return [];
      const removed = (remove ?? []).map((pointer) => parsePointer(pointer) ?? []);
      return [
        ...parts
          .filter((part) => part.region === undefined || part.region === region)
          .flatMap((part) => {
            const problems = checkAgainstSchema(part.spec, schema.spec, part.path);
            return part.region === undefined ? problems.filter(({ path }) => !isRemoved(path, removed)) : problems;
          }),
        ...overrides
          .filter((part) => part.region === region)
          .flatMap((part) => (schema.datacenter ? checkAgainstSchema(part.spec, schema.datacenter, part.path) : [])),
      ];
    }),
  );
}

/** Whether a pointer takes the field at `path` (below `spec.template`) out of the template, itself or along with what it is in. */
function isRemoved(path: string, removed: readonly (readonly string[])[]): boolean {
  const steps = parsePath(path).slice(2);
  return removed.some((tokens) => tokens.length > 0 && tokens.every((token, index) => token === `${steps[index]}`));
}

import * as z from 'zod';

const managedFieldsSchema = z.looseObject({
  metadata: z.looseObject({
    managedFields: z
      .array(
        z.looseObject({
          manager: z.string().default(''),
          subresource: z.string().default(''),
          fieldsV1: z.looseObject({ 'f:spec': z.record(z.string(), z.unknown()).exactOptional() }).exactOptional(),
        }),
      )
      .default([]),
  }),
});

/** Who writes members by right: we, and CassKop, whose PUTs carry the name of its program, whatever its image calls it. */
const known: ReadonlySet<string> = new Set(['ringmaster', 'casskop', 'manager']);

/** Who else owns fields of a member's spec, by field manager -> JSON pointers. Pure. */
export function foreignWriters(member: unknown): ReadonlyMap<string, readonly string[]> {
  const { managedFields } = managedFieldsSchema.safeParse(member).data?.metadata ?? { managedFields: [] };
  const found = new Map<string, readonly string[]>();
  for (const { manager, subresource, fieldsV1 } of managedFields) {
    const spec = fieldsV1?.['f:spec'];
    if (!spec || subresource !== '' || known.has(manager)) continue;
    found.set(manager, [...(found.get(manager) ?? []), ...leaves(spec, '/spec')]);
  }
  return found;
}

/** Paths of the leaves of a field set (fieldsV1). Elements of lists are told by their keys or values. */
function leaves(fields: Readonly<Record<string, unknown>>, path: string): string[] {
  return Object.entries(fields).flatMap(([key, below]) => {
    if (key === '.') return [];
    const step = `${path}/${key.replace(/^[fkv]:/, '')}`;
    const inside = typeof below === 'object' && below !== null ? leaves(below as Record<string, unknown>, step) : [];
    return inside.length > 0 ? inside : [step];
  });
}

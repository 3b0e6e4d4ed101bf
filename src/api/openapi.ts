import { z } from 'zod';
import type { OpenApiSchema } from './schema-check.ts';
import { specSchema } from './spec-schema.ts';
import { statusSchema } from './status-schema.ts';

type JsonSchema = z.core.JSONSchema.BaseSchema;

/**
 * The resource's schema in the structural form that a CRD takes, from the zod schema. `metadata` is the API server's
 * own and therefore only named.
 */
export function openApiSchema(): OpenApiSchema {
  return {
    type: 'object',
    description: 'One Cassandra ring over several Kubernetes clusters.',
    required: ['spec'],
    'x-kubernetes-validations': [
      {
        rule: `${clusterName('self')} == ${clusterName('oldSelf')}`,
        message: 'The name of the cluster cannot be changed: nodes keep it on their disks.',
        fieldPath: '.spec.clusterName',
      },
    ],
    properties: {
      apiVersion: { type: 'string' },
      kind: { type: 'string' },
      metadata: { type: 'object' },
      spec: convert(specSchema),
      status: { ...convert(statusSchema), default: unseen },
    },
  };
}

/**
 * The status of an object that no controller has seen yet. Without it kstatus, and so Flux, would take an object that has
 * no conditions for one that is as it should be.
 */
const unseen = { observedGeneration: -1 };

/** CEL for the name in effect, so that writing the default out is no change. */
const clusterName = (self: string): string =>
  `(has(${self}.spec.clusterName) ? ${self}.spec.clusterName : ${self}.metadata.name)`;

function convert(schema: z.ZodType): OpenApiSchema {
  // What is a default for the reader is an optional field for the writer, hence the input side.
  return z.toJSONSchema(schema, {
    target: 'openapi-3.0',
    io: 'input',
    unrepresentable: 'throw',
    override: ({ zodSchema, jsonSchema }) => makeStructural(zodSchema, jsonSchema),
  }) as OpenApiSchema;
}

/** Puts right what zod writes otherwise than a CRD's schema wants it. */
function makeStructural(zodSchema: z.core.$ZodTypes, schema: JsonSchema): void {
  delete schema.$schema;
  if (zodSchema instanceof z.ZodObject && zodSchema.def.catchall instanceof z.ZodUnknown) {
    delete schema.additionalProperties;
    if (Object.keys(zodSchema.shape).length === 0) delete schema.properties;
    schema['x-kubernetes-preserve-unknown-fields'] = true;
  }
  // A value to fall back on when reading; nothing for the API server to fill in.
  if (zodSchema instanceof z.ZodCatch) delete schema.default;
  if (schema.type === 'integer') {
    schema.format ??= 'int32';
    if (schema.minimum === Number.MIN_SAFE_INTEGER) delete schema.minimum;
    if (schema.maximum === Number.MAX_SAFE_INTEGER) delete schema.maximum;
  }
  if (schema.format === 'date-time') delete schema.pattern;
}

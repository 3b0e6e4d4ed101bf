import { stringify } from 'yaml';
import { openApiSchema } from './openapi.ts';
import { multiCassandraClusters } from './schema.ts';

const ready = (field: string): string => `.status.conditions[?(@.type=="Ready")].${field}`;

/** What `kubectl get` shows. A JSONPath shows the first element of a list only, hence the counts as text in status.summary. */
const printerColumns = [
  { name: 'Ready', type: 'string', jsonPath: ready('status') },
  {
    name: 'Regions',
    type: 'string',
    jsonPath: '.status.summary.regions',
    description: 'Regions settled of regions wanted.',
  },
  { name: 'Nodes', type: 'string', jsonPath: '.status.summary.nodes', description: 'Nodes ready of nodes wanted.' },
  {
    name: 'Founder',
    type: 'string',
    jsonPath: '.status.ring.founder',
    description: 'The region that started the ring.',
  },
  { name: 'Reason', type: 'string', jsonPath: ready('reason') },
  { name: 'Message', type: 'string', jsonPath: ready('message'), priority: 1 },
  { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
];

/** The CustomResourceDefinition of MultiCassandraCluster (apiextensions.k8s.io/v1), as plain data. */
export function customResourceDefinition(): Record<string, unknown> {
  const { group, version, plural, kind } = multiCassandraClusters;
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${group}` },
    spec: {
      group,
      names: { kind, listKind: `${kind}List`, plural, singular: kind.toLowerCase(), shortNames: ['mcc'] },
      scope: 'Namespaced',
      versions: [
        {
          name: version,
          served: true,
          storage: true,
          schema: { openAPIV3Schema: openApiSchema() },
          subresources: { status: {} },
          additionalPrinterColumns: printerColumns,
        },
      ],
    },
  };
}

/** The same as YAML, as it is checked in under crds/ and printed by `ringmaster crds`. */
export function crdYaml(): string {
  const yaml = stringify(customResourceDefinition(), { lineWidth: 120, aliasDuplicateObjects: false });
  return `# Printed by "ringmaster crds" from src/api/spec-schema.ts and status-schema.ts; do not edit.\n${yaml}`;
}

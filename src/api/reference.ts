import { conditionTypes, reasons, regionConditionTypes } from './conditions.ts';
import { openApiSchema } from './openapi.ts';
import type { OpenApiSchema } from './schema-check.ts';
import { apiVersion, kind } from './schema.ts';

/** The reference of the resource as Markdown: every field of spec and status, every condition and reason. From the schema, as the CRD is. */
export function referencePage(): string {
  const { properties = {} } = openApiSchema();
  return (
    [
      `# ${kind}`,
      `\`${apiVersion}\`, namespaced, short name \`mcc\`. Printed by \`ringmaster reference\` from the schema that the CRD is made of.`,
      '## spec',
      ...fieldsOf('spec', properties['spec']),
      '## status',
      ...fieldsOf('status', properties['status']),
      '## Conditions',
      'Of the whole, in `status.conditions`. What to do about each is in [operations.md](../operations.md).',
      ...Object.entries(conditionTypes).flatMap(([type, when]) => condition(type as keyof typeof reasons, when)),
      '## Conditions of a region',
      'In `status.regions[].conditions`.',
      ...Object.entries(regionConditionTypes).flatMap(([type, when]) => condition(type as keyof typeof reasons, when)),
    ].join('\n\n') + '\n'
  );
}

function condition(type: keyof typeof reasons, when: string): string[] {
  const rows = Object.entries(reasons[type]).map(([reason, meaning]) => `| \`${reason}\` | ${cell(meaning)} |`);
  return [`### ${type}`, when, ['| reason | meaning |', '|---|---|', ...rows].join('\n')];
}

/** A table for the fields of one object, then one for each object below it. */
function fieldsOf(path: string, schema: OpenApiSchema | undefined): string[] {
  const { properties = {}, required = [] } = schema ?? {};
  const rows: string[] = [];
  const below: string[] = [];
  for (const [name, field] of Object.entries(properties)) {
    const inner = field.items ?? field;
    const innerPath = `${path}.${name}${field.items ? '[]' : ''}`;
    const isNested = Object.keys(inner.properties ?? {}).length > 0;
    const words = [field.description, ...rulesOf(field)].filter((each) => each !== undefined && each !== '');
    const link = isNested ? [`See [${innerPath}](#${anchor(innerPath)}).`] : [];
    const needed = required.includes(name) ? '**required**' : inWords(field.default);
    rows.push(`| \`${name}\` | ${typeOf(field)} | ${needed} | ${cell([...words, ...link].join(' '))} |`);
    if (isNested) below.push(`### ${innerPath}`, ...fieldsOf(innerPath, inner));
  }
  return [['| field | type | default | |', '|---|---|---|---|', ...rows].join('\n'), ...below];
}

function typeOf(schema: OpenApiSchema): string {
  if (schema.enum) return schema.enum.map((value) => `\`${String(value)}\``).join(', ');
  if (schema.items) return `list of ${typeOf(schema.items)}`;
  const { additionalProperties } = schema;
  if (typeof additionalProperties === 'object') return `map of ${typeOf(additionalProperties)}`;
  if (schema['x-kubernetes-preserve-unknown-fields'] === true) return 'object, passed through';
  return schema.type ?? 'any';
}

/** What the schema asks of a value, in words. */
function rulesOf(schema: OpenApiSchema): string[] {
  const { minimum, maximum, maxLength, maxItems, pattern } = schema;
  const range =
    minimum !== undefined && maximum !== undefined
      ? `From ${minimum} to ${maximum}.`
      : minimum !== undefined
        ? `At least ${minimum}.`
        : maximum !== undefined
          ? `At most ${maximum}.`
          : undefined;
  return [
    range,
    maxItems === undefined ? undefined : `At most ${maxItems} entries.`,
    maxLength === undefined ? undefined : `At most ${maxLength} characters.`,
    pattern === undefined ? undefined : `Matches \`${pattern}\`.`,
    ...(schema['x-kubernetes-validations'] ?? []).map(({ message }) => message),
  ].filter((each) => each !== undefined);
}

function inWords(value: unknown): string {
  if (value === undefined) return '';
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text === '' ? 'empty' : `\`${cell(text)}\``;
}

/** As Markdown renderers make them of headings. */
function anchor(heading: string): string {
  return heading.toLowerCase().replaceAll(/[^\w-]/g, '');
}

function cell(text: string): string {
  return text.replaceAll('|', String.raw`\|`).replaceAll('\n', ' ');
}

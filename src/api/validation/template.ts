import type { EffectiveFederation } from '../effective.ts';
import { at, isObject } from '../json.ts';
import { badLabel, reservedKey } from './labels.ts';
import { parsePointer } from '../merge.ts';
import { ownedFieldsIn, ownedInOverrides, ownedInPatch, ownedInSpec, overridable } from './owned-fields.ts';
import { type FieldPath, invalid, type Problem } from '../problem.ts';
import type { MultiCassandraCluster } from '../schema.ts';
import { didYouMean } from '../suggest.ts';
import { writtenOverrides, writtenParts } from './written-parts.ts';

/** What the user writes in the template, in patches, removals and overrides, each where it stands. */
export function validateTemplate(mcc: MultiCassandraCluster, federation: EffectiveFederation): Problem[] {
  return [
    ...metadataProblems(mcc),
    ...partProblems(mcc, federation),
    ...overrideProblems(mcc),
    ...removalProblems(mcc),
    ...nodeLabelProblems(mcc),
  ];
}

function* metadataProblems({ spec }: MultiCassandraCluster): Generator<Problem> {
  const path = ['spec', 'template', 'metadata'];
  const { labels, annotations, ...others } = spec.template.metadata;
  for (const key of Object.keys(others)) {
    if (key === 'name') {
      yield invalid([...path, key], 'Every member is named after the cluster. Leave it out, or set spec.clusterName.');
    } else if (key === 'namespace') {
      yield invalid(
        [...path, key],
        "A member's namespace is that of its region. Leave it out, or set spec.regions[].namespace.",
      );
    } else {
      const hint = didYouMean(key, ['labels', 'annotations']);
      yield invalid(
        [...path, key],
        `Only labels and annotations of the members can be set here, not ${JSON.stringify(key)}.${hint}`,
      );
    }
  }
  for (const [key, value] of Object.entries(labels ?? {})) {
    const message = reservedKey(key) ?? badLabel(key, value);
    if (message !== undefined) yield invalid([...path, 'labels', key], message);
  }
  for (const key of Object.keys(annotations ?? {})) {
    const message = reservedKey(key) ?? badLabel(key, '');
    if (message !== undefined) yield invalid([...path, 'annotations', key], message);
  }
}

/** Environment variables by which Ringmaster and CassKop tell a node its ring. */
const ringVariables = ['CASSANDRA_SEEDS', 'CASSANDRA_CLUSTER_NAME'];

function* partProblems(mcc: MultiCassandraCluster, federation: EffectiveFederation): Generator<Problem> {
  for (const { spec, path, region } of writtenParts(mcc)) {
    yield* nulls(spec, path);
    for (const { field, message } of ownedFieldsIn(
      spec,
      region === undefined ? ownedInSpec : [...ownedInSpec, ...ownedInPatch],
    )) {
      yield invalid([...path, ...field], message);
    }
    for (const list of [['envVars'], ['backRestSidecar', 'envVars']]) {
      const variables = at(spec, list);
      for (const [index, variable] of (Array.isArray(variables) ? (variables as unknown[]) : []).entries()) {
        const name = at(variable, ['name']);
        if (typeof name === 'string' && ringVariables.includes(name)) {
          yield invalid(
            [...path, ...list, index, 'name'],
            `Ringmaster tells the nodes their ring; ${name} could lead them to another one. Leave it out.`,
          );
        }
      }
    }
    if (spec['configMapName'] === `${federation.clusterName}-ringmaster`) {
      yield invalid(
        [...path, 'configMapName'],
        `${federation.clusterName}-ringmaster is the ConfigMap that Ringmaster itself writes. Give yours another name; its pre_run.sh and post_run.sh are run too.`,
      );
    }
  }
}

function* overrideProblems(mcc: MultiCassandraCluster): Generator<Problem> {
  for (const { spec, path } of writtenOverrides(mcc)) {
    yield* nulls(spec, path);
    const owned = ownedFieldsIn(spec, ownedInOverrides);
    for (const { field, message } of owned) yield invalid([...path, ...field], message);
    for (const key of Object.keys(spec)) {
      const known =
        (overridable as readonly string[]).includes(key) ||
        owned.some(({ field }) => field.length === 1 && field[0] === key);
      if (!known) {
        yield invalid(
          [...path, key],
          `A datacenter can override ${overridable.join(', ')}, not ${JSON.stringify(key)}.${didYouMean(key, overridable)}`,
        );
      }
    }
  }
}

function* nulls(value: unknown, path: FieldPath): Generator<Problem> {
  if (value === null) {
    yield invalid(
      path,
      'null does not survive kubectl apply, so it is refused. To take a field out of the template for a region, name it in spec.regions[].remove.',
    );
  } else if (Array.isArray(value)) {
    for (const [index, item] of (value as unknown[]).entries()) yield* nulls(item, [...path, index]);
  } else if (isObject(value)) {
    for (const [key, item] of Object.entries(value)) yield* nulls(item, [...path, key]);
  }
}

function* removalProblems({ spec }: MultiCassandraCluster): Generator<Problem> {
  for (const [region, { remove }] of spec.regions.entries()) {
    for (const [index, pointer] of (remove ?? []).entries()) {
      const message = removalMessage(pointer, spec.template);
      if (message !== undefined) yield invalid(['spec', 'regions', region, 'remove', index], message);
    }
  }
}

function removalMessage(pointer: string, template: MultiCassandraCluster['spec']['template']): string | undefined {
  const tokens = parsePointer(pointer);
  if (!tokens) {
    return `${JSON.stringify(pointer)} is not a JSON pointer. It begins with "/", such as /spec/autoPilot; in a name "~" is written ~0 and "/" ~1.`;
  }
  const [root, ...field] = tokens;
  if (root === 'spec' && field.length > 0) {
    const owned = ownedInSpec.find(
      (each) => !each.harmless && each.field.every((step, index) => step === field[index]),
    );
    if (owned) return `${pointer} is a field that only Ringmaster sets, so it cannot be removed. Leave this entry out.`;
  } else if (root !== 'metadata' || (field[0] !== 'labels' && field[0] !== 'annotations')) {
    return `${JSON.stringify(pointer)} must point below /spec, at /metadata/labels or at /metadata/annotations of the template.`;
  }
  if (at(template, tokens) === undefined) {
    const parent = at(template, tokens.slice(0, -1));
    const hint = isObject(parent) ? didYouMean(tokens.at(-1) ?? '', Object.keys(parent)) : '';
    return `${pointer} points at nothing in the template.${hint} Correct it, or leave this entry out.`;
  }
  return undefined;
}

function* nodeLabelProblems({ spec }: MultiCassandraCluster): Generator<Problem> {
  for (const [region, { datacenters }] of spec.regions.entries()) {
    for (const [datacenter, { labels, racks }] of (datacenters ?? []).entries()) {
      const path = ['spec', 'regions', region, 'datacenters', datacenter];
      yield* labelProblems([...path, 'labels'], labels);
      for (const [rack, each] of (racks ?? []).entries()) {
        yield* labelProblems([...path, 'racks', rack, 'labels'], each.labels);
      }
    }
  }
}

function* labelProblems(path: FieldPath, labels: Readonly<Record<string, string>> = {}): Generator<Problem> {
  for (const [key, value] of Object.entries(labels)) {
    const message = badLabel(key, value);
    if (message !== undefined) yield invalid([...path, key], message);
  }
}
